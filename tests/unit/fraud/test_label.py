from __future__ import annotations

import re

import pytest

from fraud.label import PATTERN, SOURCES, source_problem


@pytest.mark.parametrize("source", [*SOURCES, "x-a", "x-call-center", "x-9.b_c", "x-" + "a" * 62])
def test_known_and_own_sources(source):
    assert source_problem(source) is None
    assert re.search(PATTERN, source)


@pytest.mark.parametrize(
    "source",
    [
        *("Chargeback", "chargebacks", "a", "x-", "x--", "x-A", "x-a b", "x-" + "a" * 63),
        *("y-a", "x-ä", "chargeback\n", " chargeback", "x_a"),
    ],
)
def test_any_other_text_is_not_a_source(source):
    assert source_problem(source) is not None


@pytest.mark.parametrize(("source", "code"), [("", "empty"), ("x-\0", "unprintable"), ("z", None)])
def test_a_wrong_source_has_a_code(source, code):
    assert source_problem(source).code == (code or "unknown_source")
