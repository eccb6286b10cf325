"""Combining methods by the name that a plan's document gives them."""

from __future__ import annotations

import json

import pytest

from fraud.document import Place
from fraud.methods.mean import Mean
from fraud.methods.registry import METHODS, document_of, method_at
from fraud.methods.stack import Stack


def read(document: dict[str, object]) -> tuple[object, list[tuple[str, str, str]]]:
    """The method of a document, and the faults that were noted."""
    place = Place(document)
    return method_at(place, ()), place.faults


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_read_back_from_its_document(name: str) -> None:
    method = METHODS[name]()
    assert method.name == name
    assert method.title
    assert read(json.loads(json.dumps(document_of(method)))) == (method, [])


def test_parameters_stand_beside_the_name() -> None:
    assert document_of(Stack(-0.25)) == {"combiner": "stack", "intercept": -0.25}
    assert document_of(Mean()) == {"combiner": "mean", "intercept": 0.0}


def test_a_document_that_names_no_method_means_a_mean() -> None:
    assert read({}) == (Mean(), [])


@pytest.mark.parametrize(
    ("document", "pointer", "text"),
    [
        ({"combiner": "max"}, "/combiner", "combiner must be one of mean, stack"),
        ({"combiner": "mean", "intercept": 0.5}, "", "intercept: expected 0"),
        ({"combiner": "mean", "slope": 1.0}, "/slope", "unknown field"),
        ({"combiner": "stack", "intercept": "0"}, "/intercept", "expected a number"),
        ({"combiner": "stack", "intercept": float("nan")}, "/intercept", "expected a number"),
        ({"combiner": "majority", "at": 0}, "", "at: expected a number above 0"),
    ],
)
def test_unknown_names_and_wrong_parameters_are_noted(
    document: dict[str, object], pointer: str, text: str
) -> None:
    _, [(at, _, detail)] = read(document)
    assert at == pointer
    assert text in detail
