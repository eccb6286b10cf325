"""How much may be under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serve_app.pace import MIN_ROWS, Pace


def test_all_is_allowed_until_a_call_ends_badly() -> None:
    pace = Pace(lambda: 4, 256, 1.0)
    for _ in range(10):
        pace.landed(256, 0.9, overloaded=False)
    assert (pace.lanes, pace.rows) == (4, 256)


def test_slow_calls_carry_fewer_rows_and_good_ones_bring_them_back() -> None:
    pace = Pace(lambda: 2, 256, 1.0)
    pace.landed(100, 1.1, overloaded=False)
    assert (pace.lanes, pace.rows) == (2, 50)
    for _ in range(100):
        pace.landed(10, 0.1, overloaded=False)
    assert pace.rows == 256
    for _ in range(100):
        pace.landed(256, 2.0, overloaded=False)
    assert pace.rows == MIN_ROWS


def test_refused_calls_take_lanes_away_and_good_ones_bring_them_back() -> None:
    pace = Pace(lambda: 8, 256, 1.0)
    pace.landed(10, 0.1, overloaded=True)
    assert (pace.lanes, pace.rows) == (4, 256)
    for _ in range(10):
        pace.landed(10, 0.1, overloaded=True)
    assert pace.lanes == 1
    for _ in range(40):
        pace.landed(10, 0.1, overloaded=False)
    assert pace.lanes == 8


@given(
    st.integers(1, 64),
    st.integers(1, 1024),
    st.lists(st.tuples(st.integers(1, 1024), st.floats(0, 3), st.booleans())),
)
def test_there_is_always_a_way_and_never_more_than_allowed(
    lanes: int, max_rows: int, calls: list[tuple[int, float, bool]]
) -> None:
    pace = Pace(lambda: lanes, max_rows, 1.0)
    for rows, elapsed_s, overloaded in calls:
        pace.landed(rows, elapsed_s, overloaded=overloaded)
        assert 1 <= pace.lanes <= lanes
        assert min(MIN_ROWS, max_rows) <= pace.rows <= max_rows
