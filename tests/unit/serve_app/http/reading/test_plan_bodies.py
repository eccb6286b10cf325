"""Bodies of requests about plans, read from JSON with its numbers as text."""

from __future__ import annotations

from typing import Any

import pytest

from deciding.plans.versions import MAX_REASON_CHARS, PlanId
from fraud.errors import InvalidInput
from serve_app.http.reading.fault import MAX_FAULTS
from serve_app.http.reading.json_body import read_json
from serve_app.http.reading.plan_bodies import (
    in_document,
    read_activation,
    read_new_plan,
    read_plan_id,
)


def faults(read: Any, body: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read(read_json(body.encode()))
    return [(pointer, code) for pointer, code, _ in caught.value.errors]


def test_numbers_are_numbers_and_the_rest_is_as_it_was_sent():
    text = '{"document": {"a": [1, 2.5, -3e2, "x", true, null, {"b": 10}]}, "reason": "why"}'
    new = read_new_plan(read_json(text.encode()))
    assert new.document == {"a": [1, 2.5, -300.0, "x", True, None, {"b": 10}]}
    assert [type(value) for value in new.document["a"][:2]] == [int, float]
    assert new.reason == "why"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((number, "not_finite") for number in ("NaN", "Infinity", "-Infinity", "1e400")),
        ("1" * 200, "not_finite"),
        (r'"a\u0000b"', "text"),
        (r'"\ud800"', "text"),
        (f'"{"x" * 1001}"', "text"),
    ],
)
def test_a_value_that_cannot_be_kept_is_a_fault_in_its_place(value: str, code: str):
    body = f'{{"document": {{"a": [0, {value}]}}}}'
    assert faults(read_new_plan, body) == [("/document/a/1", code)]


def test_a_key_that_cannot_be_kept_is_a_fault_and_is_not_repeated():
    for key in (r"\u0000", r"\udfff", "x" * 65):
        assert faults(read_new_plan, f'{{"document": {{"a": {{"{key}": 1}}}}}}') == [
            ("/document/a", "unknown_field")
        ]


def test_nesting_and_the_number_of_faults_have_ends():
    deep = '{"document": {"a": ' + "[" * 70 + "]" * 70 + "}}"
    ((pointer, code),) = faults(read_new_plan, deep)
    assert (pointer.count("/"), code) == (66, "too_deep")
    many = '{"document": {"a": [' + ", ".join(["NaN"] * 500) + "]}}"
    assert len(faults(read_new_plan, many)) == MAX_FAULTS


@pytest.mark.parametrize(
    ("body", "expected", "reason"),
    [
        ("{}", ..., ""),
        ('{"expected": null, "reason": "back"}', None, "back"),
        ('{"expected": {"name": "a", "version": 3}}', PlanId("a", 3), ""),
        ('{"expected": {"name": "a", "version": 3.0}}', PlanId("a", 3), ""),
    ],
)
def test_an_activation_says_what_it_expects_or_not(body: str, expected: Any, reason: str):
    found = read_activation(read_json(body.encode()))
    assert (found.expected, found.reason) == (expected, reason)


def test_a_reason_may_be_long_but_not_endless():
    assert read_activation({"reason": "x" * MAX_REASON_CHARS}).reason
    assert faults(read_activation, f'{{"reason": "{"x" * (MAX_REASON_CHARS + 1)}"}}') == [
        ("/reason", "too_long")
    ]


@pytest.mark.parametrize(
    ("name", "version", "found"),
    [
        ("a", "1", PlanId("a", 1)),
        ("a.b_c-D9", "2147483647", PlanId("a.b_c-D9", 2147483647)),
        *((name, "1", None) for name in ("", "a/b", "a b", "a\0", "-a", "x" * 65)),
        *(("a", v, None) for v in ("0", "-1", "1.5", "", "x", "٣", "2147483648", "9" * 11)),
    ],
)
def test_a_path_names_a_plan_or_none(name: str, version: str, found: PlanId | None):
    assert read_plan_id(name, version) == found


def test_faults_of_a_document_lie_in_the_body():
    error = in_document(InvalidInput("wrong", (("/kind", "missing", "expected a kind"),)))
    assert error.errors == (("/document/kind", "missing", "expected a kind"),)
    assert in_document(InvalidInput("wrong")).errors == (("/document", "not_a_plan", "wrong"),)
