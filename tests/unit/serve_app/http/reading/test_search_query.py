"""A query string becomes a search, or every wrong parameter is named."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from serve_app.gateway.search import DAY_MS, Search, read_cursor
from serve_app.http.reading.search_query import Reach, read_search
from tests.contracts.front import DECISION_ID, NOW_MS, Front

REACH = Reach(3 * DAY_MS, 60_000)
LAST = UUID(DECISION_ID)


def read(**parameters: str) -> Search:
    return read_search(((k.rstrip("_"), v) for k, v in parameters.items()), NOW_MS, REACH)


def faults(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read_search(pairs, NOW_MS, REACH)
    return {(pointer, code) for pointer, code, _ in caught.value.errors}


def test_nothing_asked_for_is_the_last_thirty_days() -> None:
    search = read()
    assert (search.from_ms, search.to_ms, search.limit) == (NOW_MS - 30 * DAY_MS, NOW_MS, 50)
    assert search.happened_from_ms == search.from_ms - 3 * DAY_MS
    assert search.happened_to_ms == search.to_ms + 60_000
    assert search.first_id.int >> 80 == search.from_ms
    assert search.end_id.int >> 80 == search.to_ms


def test_times_with_and_without_an_escaped_plus() -> None:
    for zone in ("+01:00", " 01:00"):
        assert read(from_=f"2026-02-01T13:00:00{zone}").from_ms == NOW_MS - 28 * DAY_MS
    assert read(to="2026-02-01T00:00:00Z").from_ms == read(to="2026-02-01T00:00:00Z").to_ms - (
        30 * DAY_MS
    )


@pytest.mark.parametrize(
    ("pairs", "wrong"),
    [
        ([("outcome", "deny")], {("/outcome", "unknown")}),
        ([("outcome", "Approve")], {("/outcome", "unknown")}),
        ([("limit", "0")], {("/limit", "out_of_range")}),
        ([("limit", "201")], {("/limit", "out_of_range")}),
        ([("limit", "5.0")], {("/limit", "out_of_range")}),
        ([("limit", "٣")], {("/limit", "out_of_range")}),
        ([("limit", "")], {("/limit", "out_of_range")}),
        ([("from", "yesterday")], {("/from", "malformed")}),
        ([("from", "2026-02-01T00:00:00")], {("/from", "no_timezone")}),
        ([("to", "2026-02-01")], {("/to", "malformed")}),
        ([("to", "1970-01-01T00:00:00Z")], {("/to", "too_far_in_past")}),
        ([("transaction_id", "")], {("/transaction_id", "empty")}),
        ([("customer_id", "c" * 65)], {("/customer_id", "too_long")}),
        ([("customer_id", "a\0")], {("/customer_id", "unprintable")}),
        ([("custmer_id", "c")], {("/custmer_id", "unknown_parameter")}),
        ([("4111 1111", "c")], {("", "unknown_parameter")}),
        ([("limit", "5"), ("limit", "6")], {("/limit", "repeated")}),
        ([("cursor", "abc")], {("/cursor", "malformed")}),
        ([("cursor", "")], {("/cursor", "malformed")}),
        ([("from", "2026-02-02T00:00:00Z"), ("to", "2026-02-02T00:00:00Z")],
         {("/from", "not_before_to")}),
        ([("from", "2024-02-02T00:00:00Z")], {("/from", "span_too_long")}),
        ([("limit", "x"), ("outcome", "y"), ("to", "z")],
         {("/limit", "out_of_range"), ("/outcome", "unknown"), ("/to", "malformed")}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(pairs: Any, wrong: set[tuple[str, str]]) -> None:
    assert faults(*pairs) == wrong


def test_a_cursor_leads_on_in_the_same_search() -> None:
    first = read(customer_id="c", outcome="block", from_="2026-02-01T00:00:00Z")
    cursor = first.cursor(LAST)
    later = read(customer_id="c", outcome="block", cursor=cursor, limit="7")
    assert (later.from_ms, later.to_ms, later.before) == (first.from_ms, first.to_ms, LAST)
    assert later.end_id == LAST
    assert read(customer_id="c", outcome="block", from_="2026-02-01T00:00:00Z", cursor=cursor)


@pytest.mark.parametrize(
    "changed",
    [
        {"customer_id": "d"},
        {"outcome": "review"},
        {"transaction_id": "t"},
        {"from": "2026-02-02T00:00:00Z"},
        {"to": "2026-02-20T00:00:00Z"},
        {"customer_id": None},
    ],
)
def test_a_cursor_of_another_search_is_refused(changed: dict[str, str | None]) -> None:
    asked = {"customer_id": "c", "outcome": "block"}
    cursor = read(**asked).cursor(LAST)
    pairs = {k: v for k, v in (asked | changed | {"cursor": cursor}).items() if v is not None}
    assert faults(*pairs.items()) == {("/cursor", "another_search")}


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda b: b.hex()))
def test_any_text_is_a_cursor_or_none(text: str) -> None:
    place = read_cursor(text)
    assert place is None or len(text) == 55


@given(st.integers(0, 70), st.integers(0, 63))
def test_a_changed_cursor_is_noticed_or_is_another_place(at: int, digit: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cursor = read().cursor(LAST)
    changed = cursor[:at] + alphabet[digit] + cursor[at + 1 :]
    place = read_cursor(changed)
    assert changed == cursor or place is None or place != read_cursor(cursor)


async def test_over_http_every_wrong_parameter_is_named() -> None:
    front = Front()
    async with front.client() as client:
        answer = await client.get("/v1/decisions?limit=0&outcome=deny&x=1")
        assert answer.status_code == 422
        named = {e["pointer"] for e in answer.json()["errors"]}
        assert named == {"/limit", "/outcome", "/x"}
        assert front.records.searches == []
        front.records.has_more = True
        page = (await client.get("/v1/decisions", params={"customer_id": "c"})).json()
        asked = {"customer_id": "c", "cursor": page["next_cursor"]}
        assert (await client.get("/v1/decisions", params=asked)).status_code == 200
        assert [search.before for search in front.records.searches] == [None, LAST]
        without = await client.get("/v1/decisions", headers={"x-api-key": "wrong"})
        assert without.status_code == 401
