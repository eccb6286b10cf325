"""The state of one entity, event by event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.state.entities import CUSTOMER
from features.state.events import roles_of
from features.state.reading import read
from features.state.rings import SATURATION
from features.state.snapshot import Snapshot
from features.state.state import observe, partner_hash, squares_of
from features.state.windows import DAY_MS, HORIZON_MS
from tests.contracts.window_aggregates import WindowAggregates, aggregates_of

START = 1_700_000_000_000
(ROLE,) = roles_of(CUSTOMER)
events_of = st.lists(
    st.tuples(
        st.integers(0, 80 * DAY_MS),  # when
        st.integers(1, 10**13),  # hundredths
        st.integers(0, 5),  # merchant, 0 for none
    ),
    max_size=60,
)


def state_of(events: list[tuple[int, int, int]]) -> bytes:
    state = bytearray(CUSTOMER.size)
    for at, amount, merchant in events:
        put(state, START + at, amount, merchant)
    return bytes(state)


def put(state: bytearray, at_ms: int, amount: int, merchant: int) -> None:
    observe(ROLE, state, (at_ms, 1, amount, squares_of(amount), 0, 0, 0, 0, 0), [merchant, 0, 0])


def read_at(state: bytes, at: int, merchant: int = 0) -> WindowAggregates:
    partners = np.array([[0, merchant, 0, 0]], dtype=np.uint32)
    at_ms, bucket = np.array([START + at], dtype=np.int64), np.zeros(1, dtype=np.int64)
    return aggregates_of(read(Snapshot.only(ROLE, [state]), at_ms, partners, bucket))["customer"]


@given(events_of, st.integers(0, 90 * DAY_MS))
def test_a_window_forgets_at_most_one_tile_too_early(
    events: list[tuple[int, int, int]], ahead: int
) -> None:
    """The result lies between the brute-force counts of the window less one tile and of the
    window."""
    at = max((e[0] for e in events), default=0) + ahead % (3 * DAY_MS)
    seen = read_at(state_of(events), at)
    for w, window in enumerate(CUSTOMER.windows):
        within = [e for e in events if at - window.span_ms < e[0] <= at]
        surely = [e for e in events if at - (window.span_ms - window.tile_ms) < e[0] <= at]
        assert len(surely) <= seen.count[0, w] <= len(within)
        assert sum(e[1] for e in surely) <= seen.total[0, w] <= sum(e[1] for e in within)


@given(events_of, st.integers(0, 90 * DAY_MS))
def test_distinct_partners_are_exact_to_the_second(
    events: list[tuple[int, int, int]], ahead: int
) -> None:
    at = max((e[0] for e in events), default=0) + ahead % DAY_MS
    seen = read_at(state_of(events), at)
    last = {m: max(e[0] for e in events if e[2] == m) for m in {e[2] for e in events} - {0}}
    for w, window in enumerate(CUSTOMER.windows):
        low = sum(at - window.span_ms + 1000 < t for t in last.values())
        high = sum(at - window.span_ms - 1000 < t for t in last.values())
        assert low <= seen.distinct["merchants"][0, w] <= high


@given(events_of, st.randoms(use_true_random=False), st.integers(0, 90 * DAY_MS))
def test_the_order_of_arrival_changes_nothing(
    events: list[tuple[int, int, int]], random: object, at: int
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = read_at(state_of(events), at, 3), read_at(state_of(shuffled), at, 3)
    for name in ("count", "total", "squares", "since_ms"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.array_equal(one.distinct["merchants"], other.distinct["merchants"])
    assert np.array_equal(one.partner_since_s["merchants"], other.partner_since_s["merchants"])


def test_sums_saturate_rather_than_round() -> None:
    state = bytearray(CUSTOMER.size)
    for _ in range(3):
        put(state, START, SATURATION - 1, 0)
    seen = read_at(bytes(state), 0)
    assert seen.count[0].tolist() == [3] * 5
    assert seen.total[0].tolist() == [SATURATION] * 5
    assert seen.squares[0].tolist() == [SATURATION] * 5


def test_a_full_table_lets_go_of_the_oldest() -> None:
    state = bytearray(CUSTOMER.size)
    capacity = CUSTOMER.tables[0].capacity
    for i in range(capacity + 5):
        put(state, START + i * 1000, 1, i + 1)
    at = (capacity + 5) * 1000
    assert read_at(bytes(state), at).distinct["merchants"][0, 1] == capacity
    assert read_at(bytes(state), at, merchant=5).partner_since_s["merchants"][0] == -1
    assert read_at(bytes(state), at, merchant=6).partner_since_s["merchants"][0] == capacity


def test_nothing_older_than_the_horizon_is_visible() -> None:
    state = state_of([(0, 100, 7)])
    seen = read_at(state, HORIZON_MS, merchant=7)
    assert seen.since_ms[0] == -1
    assert seen.partner_since_s["merchants"][0] == -1
    assert seen.count.sum() == 0


@pytest.mark.parametrize("hundredths", [1, 99, 12_345, 10**9, 94_906_267, 10**13])
def test_squares_are_rounded_hundredths_of_a_squared_unit(hundredths: int) -> None:
    exact = hundredths * hundredths / 100
    assert squares_of(hundredths) == pytest.approx(min(exact, SATURATION), abs=0.5, rel=1e-15)


def test_partner_hash_tells_none_from_everything() -> None:
    assert partner_hash(None) == 0
    assert all(partner_hash(str(i)) > 0 for i in range(1000))
