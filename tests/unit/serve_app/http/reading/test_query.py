"""Parameters of query strings."""

from __future__ import annotations

import pytest

from fraud.errors import InvalidInput
from serve_app.http.reading.fault import MAX_FAULTS
from serve_app.http.reading.query import Query

KNOWN = ("limit", "format", "from")
AT_MS = 1_772_323_201_000  # 2026-03-01T00:00:01Z


def read(*parameters: tuple[str, str]) -> Query:
    return Query.read(parameters, KNOWN)


def codes(query: Query) -> list[tuple[str, str]]:
    return [(pointer, code) for pointer, code, _ in query.faults]


def test_what_is_absent_is_none_and_no_fault() -> None:
    query = read()
    found = query.whole("limit", 9), query.one_of("format", ("csv",)), query.moment("from")
    assert found == (None, None, None)
    query.require_faultless()


def test_values_are_read() -> None:
    query = read(("limit", "9"), ("format", "csv"), ("from", "2026-03-01T01:00:01 01:00"))
    assert query.whole("limit", 9) == 9
    assert query.one_of("format", ("json", "csv")) == "csv"
    assert query.moment("from") == AT_MS, "an unescaped plus is a space"
    query.require_faultless()


@pytest.mark.parametrize("text", ["0", "10", "01", "+1", "1.0", "", "-1", "\u0661", "9" * 99])
def test_what_is_no_whole_number_in_range_is_a_fault(text: str) -> None:
    query = read(("limit", text))
    assert query.whole("limit", 9) is None
    assert codes(query) == [("/limit", "out_of_range")]


def test_every_fault_is_told_at_once() -> None:
    query = read(("limit", "x"), ("limit", "y"), ("a b", "1"), ("lim", "1"), ("format", "pdf"))
    query.whole("limit", 9)
    query.one_of("format", ("csv",))
    with pytest.raises(InvalidInput) as caught:
        query.require_faultless()
    assert [(pointer, code) for pointer, code, _ in caught.value.errors] == [
        ("/limit", "repeated"),
        ("", "unknown_parameter"),
        ("/lim", "unknown_parameter"),
        ("/limit", "out_of_range"),
        ("/format", "unknown"),
    ]


def test_the_number_of_faults_is_bounded() -> None:
    assert len(read(*[("x", "")] * (MAX_FAULTS + 1)).faults) == MAX_FAULTS
