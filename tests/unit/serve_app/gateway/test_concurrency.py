"""The limits of rows and calls in flight."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.gateway.concurrency import MIN_ROWS, ConcurrencyLimit


def test_all_is_allowed_until_a_call_ends_badly() -> None:
    limit = ConcurrencyLimit(lambda: 4, 256, 1.0)
    for _ in range(10):
        limit.call_ended(256, 0.9, overloaded=False)
    assert (limit.lanes, limit.rows) == (4, 256)


def test_slow_calls_carry_fewer_rows_and_good_ones_bring_them_back() -> None:
    limit = ConcurrencyLimit(lambda: 2, 256, 1.0)
    limit.call_ended(100, 1.1, overloaded=False)
    assert (limit.lanes, limit.rows) == (2, 50)
    for _ in range(100):
        limit.call_ended(10, 0.1, overloaded=False)
    assert limit.rows == 256
    for _ in range(100):
        limit.call_ended(256, 2.0, overloaded=False)
    assert limit.rows == MIN_ROWS


def test_refused_calls_take_lanes_away_and_good_ones_bring_them_back() -> None:
    limit = ConcurrencyLimit(lambda: 8, 256, 1.0)
    limit.call_ended(10, 0.1, overloaded=True)
    assert (limit.lanes, limit.rows) == (4, 256)
    for _ in range(10):
        limit.call_ended(10, 0.1, overloaded=True)
    assert limit.lanes == 1
    for _ in range(40):
        limit.call_ended(10, 0.1, overloaded=False)
    assert limit.lanes == 8


def test_what_can_be_carried_in_some_time_is_known_from_how_calls_end() -> None:
    limit = ConcurrencyLimit(lambda: 2, 256, 1.0)
    assert (limit.rows_in(1.0), limit.call_s) == (inf, 0.0)
    for _ in range(30):
        limit.call_ended(128, 0.5, overloaded=False)
    assert limit.rows_in(3.0) == pytest.approx(2 * 3.0 * 256)
    assert limit.call_s == pytest.approx(1.0)
    # A call that was not full says little: after many of them the estimate is optimistic.
    limit.call_ended(1, 0.5, overloaded=False, capacity=256)
    assert limit.rows_in(3.0) == pytest.approx(2 * 3.0 * 256, rel=0.1)
    for _ in range(60):
        limit.call_ended(1, 0.5, overloaded=False, capacity=256)
    assert limit.rows_in(3.0) == pytest.approx(2 * 3.0 * 512)
    # But it does show that they were fast, or slow.
    for _ in range(30):
        limit.call_ended(64, 0.01, overloaded=False, capacity=256)
    assert limit.rows_in(3.0) >= 2 * 3.0 * 6400


def test_a_call_that_was_refused_does_not_say_how_fast_others_are() -> None:
    limit = ConcurrencyLimit(lambda: 1, 256, 1.0)
    limit.call_ended(256, 0.5, overloaded=False)
    limit.call_ended(256, 0.001, overloaded=True)
    assert limit.rows_in(1.0) == pytest.approx(1024)


def test_one_call_that_was_held_up_counts_by_half() -> None:
    limit = ConcurrencyLimit(lambda: 1, 256, 1.0)
    limit.call_ended(3, 2.0, overloaded=False, capacity=256)
    assert limit.rows_in(2.0) == pytest.approx(512)


@given(
    st.integers(1, 64),
    st.integers(1, 1024),
    st.lists(st.tuples(st.integers(1, 1024), st.floats(0, 3), st.booleans())),
)
def test_there_is_always_a_way_and_never_more_than_allowed(
    lanes: int, max_rows: int, calls: list[tuple[int, float, bool]]
) -> None:
    limit = ConcurrencyLimit(lambda: lanes, max_rows, 1.0)
    for rows, elapsed_s, overloaded in calls:
        limit.call_ended(rows, elapsed_s, overloaded=overloaded)
        assert 1 <= limit.lanes <= lanes
        assert min(MIN_ROWS, max_rows) <= limit.rows <= max_rows
