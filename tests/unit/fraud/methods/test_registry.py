"""Combining methods by the name that a plan's document gives them."""

from __future__ import annotations

import json

import pytest

from fraud.methods.mean import Mean
from fraud.methods.registry import METHODS, document_of, method_of
from fraud.methods.stack import Stack


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_read_back_from_its_document(name: str) -> None:
    method = METHODS[name]()
    assert method.name == name
    assert method.title
    assert method_of(json.loads(json.dumps(document_of(method)))) == method


def test_parameters_stand_beside_the_name() -> None:
    assert document_of(Stack(-0.25)) == {"combiner": "stack", "intercept": -0.25}
    assert document_of(Mean()) == {"combiner": "mean", "intercept": 0.0}


def test_a_document_that_names_no_method_means_a_mean() -> None:
    assert method_of({}) == Mean()


def test_unknown_names_and_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="combiner must be one of mean, stack"):
        method_of({"combiner": "max"})
    with pytest.raises(ValueError, match="intercept"):
        method_of({"combiner": "mean", "intercept": 0.5})
    with pytest.raises(TypeError):
        method_of({"combiner": "mean", "slope": 1.0})
