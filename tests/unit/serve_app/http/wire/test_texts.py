"""Patterns in the API reference against the checks that they describe."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from fraud.payment.limits import text_problem
from fraud.payment.metadata import value_problem
from serve_app.http.reading.plan_bodies import read_new_plan
from serve_app.http.wire.texts import PRINTABLE, SEVERAL_LINES, STORABLE

SOME = st.text(st.characters(codec="utf-8", max_codepoint=0x2030), max_size=12)


def allows(schema: dict[str, str], text: str) -> bool:
    # `$` of Python also stands before a last line break; that of JSON Schema does not.
    return re.search(schema["pattern"].removesuffix("$") + r"\Z", text) is not None


@given(SOME)
def test_an_id_may_hold_what_the_reference_says(text: str) -> None:
    assert allows(PRINTABLE, text) == (text_problem(text) is None)


@given(SOME)
def test_a_value_of_metadata_may_hold_what_the_reference_says(text: str) -> None:
    assert allows(SEVERAL_LINES, text) == (value_problem(text) is None)


@given(SOME)
def test_a_reason_may_hold_what_the_reference_says(text: str) -> None:
    try:
        read_new_plan({"document": {}, "reason": text})
        is_taken = True
    except InvalidInput:
        is_taken = False
    assert allows(STORABLE, text) == is_taken
