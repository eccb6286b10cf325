"""Faults name the field and what was expected, never the value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fraud.errors import InvalidInput
from serve_app.http.problems import problem_of
from serve_app.http.reading.fault import MAX_FAULTS, member_pointer, unknown_fields
from serve_app.http.reading.intake import Intake
from serve_app.http.reading.label_bodies import read_named_label
from serve_app.http.reading.search_query import Reach, read_search
from tests.contracts.front import NOW_MS, payment

READER = Intake(1000, 300_000, 3650 * 86_400_000, lambda: NOW_MS)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"currency": "XXQ"}, "Unknown value for `currency`: expected an ISO 4217 code"),
        ({"amount": None}, "Wrong type for `amount`: must not be null"),
        ({"amount": True}, "Wrong type for `amount`: expected a number or a decimal string"),
        ({"customer_id": ...}, "Missing field `customer_id`: it is required"),
        ({"customer_id": " "}, "Invalid value for `customer_id`: must not be empty"),
        (
            {"timestamp": "yesterday"},
            "Invalid value for `timestamp`: expected RFC 3339, e.g. 2026-03-01T12:00:00Z",
        ),
        ({"metadata": {"order": 1}}, "Wrong type for `metadata.order`: expected a string"),
        ({"why": 1}, "Unknown field: expected a documented one"),
    ],
)
def test_a_detail_names_the_field_and_what_is_expected(
    changes: dict[str, Any], detail: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        READER.transaction(json.dumps(payment(**changes)).encode(), "acme")
    assert [fault[2] for fault in caught.value.errors] == [detail]
    assert problem_of(caught.value).document.detail == detail


def test_the_problem_shows_the_first_of_several() -> None:
    with pytest.raises(InvalidInput) as caught:
        READER.transaction(json.dumps(payment(currency="XXQ", type="gift")).encode(), "acme")
    assert problem_of(caught.value).document.detail == (
        "Unknown value for `currency`: expected an ISO 4217 code; and 1 more in `errors`"
    )


def test_labels_and_queries_are_described_alike() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_named_label({"is_fraud": "yes", "source": "x-a", "decision_id": "?"}, "", NOW_MS)
    assert [fault[2] for fault in caught.value.errors] == [
        "Wrong type for `is_fraud`: expected true or false",
        "Invalid value for `decision_id`: expected the `decision_id` of an answer",
    ]
    with pytest.raises(InvalidInput) as caught:
        read_search([("limit", "0"), ("limit", "1")], NOW_MS, Reach(0, 0))
    assert [fault[2] for fault in caught.value.errors] == [
        "Invalid value for `limit`: expected at most once"
    ]


def test_a_name_is_repeated_only_if_it_looks_like_one() -> None:
    assert member_pointer("/metadata", "a/b~c") == "/metadata/a~1b~0c"
    for name in ("4111111111111111", "", "a b", "x" * 65, "\u00e4"):
        assert member_pointer("", name) is None


def test_unknown_fields_have_an_end() -> None:
    many = {f"f{i}": 1 for i in range(1000)}
    assert len(unknown_fields(many, (), "")) == MAX_FAULTS
