"""Values read from states: the same alone and in batches, and equal to a count by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.state.entities import CUSTOMER, ID_COLUMNS, KEPT, ROLES
from features.state.events import Events, category_slot, roles_of
from features.state.reading import read
from features.state.rings import Group
from features.state.snapshot import N_ROLES, OFFSETS, ROW_BYTES, Snapshot
from features.state.state import learn
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS, near
from features.state.windows import (
    DAY_MS,
    FLOW_WINDOWS,
    HORIZON_MS,
    LABEL_WINDOWS,
    LARGEST_WINDOWS,
    NEAR_WINDOWS,
    RUN_GAP_DAYS,
    Window,
)
from features.store.memory import MemoryStore
from fraud.payment.batch import Int64, TransactionBatch
from fraud.payment.transaction import Transaction
from tests.contracts.aggregates import assert_same
from tests.contracts.payments import labels_of, payments
from tests.contracts.window_aggregates import WindowAggregates, aggregates_of

N = 700


@pytest.fixture(scope="module")
def seen() -> tuple[Events, Snapshot]:
    """Payments of some weeks with labels among them, and states before each of the last ones."""
    batch = payments(2_000, seed=4, customers=20, late=0.3, duplicate=0.0, days=90)
    store = MemoryStore()
    for start in range(0, 1_300, 100):
        part = batch.slice(start, start + 100)
        store.observe(Events.of(part))
        store.learn_now(labels_of(part, seed=start))
    last = Events.of(batch.slice(1_300, 1_300 + N))
    return last, store.observe(last).states


def columns(events: Events) -> tuple[Int64, Int64]:
    return events.at_ms, events.bucket


def test_a_role_reads_the_same_alone_and_among_others(seen: tuple[Events, Snapshot]) -> None:
    events, states = seen
    at_ms, bucket = columns(events)
    together = aggregates_of(read(states, at_ms, events.hashes, bucket))
    assert together.keys() == {role.name for role in ROLES}
    for role in ROLES:
        alone = Snapshot.none(N)
        alone[role.name].present[:] = states[role.name].present
        alone[role.name].matrix[:] = states[role.name].matrix
        found = aggregates_of(read(alone, at_ms, events.hashes, bucket))
        assert found.keys() == {role.name}
        assert_same(found[role.name], together[role.name], role.name)


@pytest.mark.parametrize("rows", [1, 255, 256, 257])
def test_a_row_reads_the_same_in_any_batch(seen: tuple[Events, Snapshot], rows: int) -> None:
    events, states = seen
    at_ms, bucket = columns(events)
    whole = aggregates_of(read(states, at_ms, events.hashes, bucket))
    for start in (0, N - rows):
        some = slice(start, start + rows)
        part = Snapshot(states.present[some], states.records[some])
        found = aggregates_of(read(part, at_ms[some], events.hashes[some], bucket[some]))
        for name, aggregates in found.items():
            for number in ("count", "squares", "frauds", "largest", "near", "since_ms"):
                wanted = getattr(whole[name], number)[some]
                assert np.array_equal(getattr(aggregates, number), wanted), (name, number)


def visible_sum(state: np.void, group: Group, field: str, w: int, at_ms: int, last_ms: int) -> int:
    """One window added up tile by tile."""
    window = group.windows[w]
    ring = group.rings[group.ring_of(window)]
    tiles = state[group.name][ring.first : ring.first + ring.slots]
    now, newest = at_ms // ring.tile_ms, max(at_ms, last_ms) // ring.tile_ms
    if not group.kind.when:
        newest = max(newest, int(tiles["epoch"].max()))
    return sum(
        int(tile[field])
        for tile in tiles
        if now - window.tiles < tile["epoch"] <= now
        and tile["epoch"] > newest - ring.slots
        and tile["epoch"]
    )


def test_windows_are_what_their_tiles_add_up_to(seen: tuple[Events, Snapshot]) -> None:
    events, states = seen
    at_ms, bucket = columns(events)
    found = aggregates_of(read(states, at_ms, events.hashes, bucket))
    sources = {"count": ("amounts", "count"), "squares": ("amounts", "squares")} | {
        "frauds": ("labels", "frauds"),
        "fraud_total": ("labels", "sum"),
        "near": ("near", "count"),
    }
    compared = 0
    for role in ROLES[:4]:
        matrix = np.ascontiguousarray(states[role.name].matrix)
        records = matrix.view(role.entity.dtype)[:, 0]
        for name, (group_name, field) in sources.items():
            group = role.entity.groups.get(group_name)
            if group is None:
                continue
            for i in np.flatnonzero(states[role.name].present)[::20].tolist():
                last_ms = int(records[i]["last_ms"])
                for w in range(len(group.windows)):
                    wanted = visible_sum(records[i], group, field, w, int(at_ms[i]), last_ms)
                    assert getattr(found[role.name], name)[i, w] == wanted, (role.name, name, i, w)
                    compared += wanted > 0
    assert compared > 300


def test_records_hold_a_state_for_each_role() -> None:
    assert list(OFFSETS) == [role.name for role in ROLES]
    assert all(offset % 8 == 0 for offset in OFFSETS.values())
    assert all(entity.size % 8 == 0 for entity in KEPT)
    states: list[bytes | None] = [None] * (2 * N_ROLES)
    states[N_ROLES + 1] = bytes(range(250)) + bytes(ROLES[1].entity.size - 250)
    snapshot = Snapshot.of(states)
    assert snapshot.records.shape == (2, ROW_BYTES)
    assert snapshot[ROLES[1].name][1] == states[N_ROLES + 1]
    assert snapshot[ROLES[1].name][0] is None
    assert snapshot.present.any(axis=0).tolist() == [False, True, *[False] * (N_ROLES - 2)]
    assert snapshot.records.sum() == sum(range(250))


def test_nobody_named_is_nothing_read() -> None:
    batch: TransactionBatch = replace(payments(3, seed=1), device_id=[None] * 3)
    events = Events.of(batch)
    at_ms, bucket = columns(events)
    assert aggregates_of(read(Snapshot.none(3), at_ms, events.hashes, bucket)) == {}
    states = MemoryStore().observe(events).states
    assert "device" not in aggregates_of(read(states, at_ms, events.hashes, bucket))


START = 1_700_000_000_000
CATEGORIES = ("food", "travel", "games")
amounts = st.one_of(
    st.integers(1, 2**33),
    st.integers(BAND_START_HUNDREDTHS - 2, THRESHOLD_HUNDREDTHS + 2),
)
places = st.none() | st.tuples(
    st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000)
)
payments_of = st.lists(
    st.tuples(
        st.integers(0, 90 * DAY_MS),
        amounts,
        st.none() | st.sampled_from(CATEGORIES),
        places,
        st.none() | st.sampled_from(["a", "b", "me"]),  # to whom
        st.booleans(),  # the other way round: they pay me
    ),
    max_size=25,
)
Payment = tuple[int, int, str | None, tuple[int, int] | None, str | None, bool]


def batch_of(rows: Iterable[Payment], prefix: str = "t") -> TransactionBatch:
    made = []
    for i, (at, amount, category, place, other, inwards) in enumerate(rows):
        payer, payee = (other, "me") if inwards and other else ("me", other)
        made.append(
            Transaction(
                transaction_id=f"{prefix}{i}",
                customer_id=payer,
                timestamp_ms=START + at,
                amount_minor=amount,
                currency="EUR",
                type="transfer",
                merchant_category=category,
                counterparty_id=payee,
                latitude=None if place is None else place[0] / 1e6,
                longitude=None if place is None else place[1] / 1e6,
            )
        )
    return TransactionBatch.of("default", made)


def seen_at(rows: list[Payment], asking: Payment) -> dict[str, WindowAggregates]:
    """The values read for the payment `asking` after all of `rows` have arrived."""
    store = MemoryStore()
    store.observe(Events.of(batch_of(rows)))
    events = Events.of(batch_of([asking], "ask"))
    return aggregates_of(store.observe(events).reading(events))


def within(window: Window, slots: int, at_ms: int, last_ms: int) -> Callable[[int], bool]:
    """Whether an event shows in a window: its tile is one of the last ones, and the ring, which
    has moved on to `last_ms`, still reaches back to it."""
    width = window.tile_ms
    now, newest = at_ms // width, max(at_ms, last_ms) // width
    return lambda t: now - window.tiles < t // width <= now and t // width > newest - slots


ASKING = (0, 100, "food", None, "a", False)


@settings(deadline=None)
@given(payments_of, st.integers(-20 * DAY_MS, 20 * DAY_MS))
def test_habits_and_places_of_a_customer(rows: list[Payment], ahead: int) -> None:
    at = max(max((r[0] for r in rows), default=0) + ahead, 0)
    asking = (at, *ASKING[1:])
    seen = seen_at(rows, asking)["customer"]
    mine = [r for r in rows if not (r[5] and r[4] not in (None, "me"))]
    at_ms, last_ms = START + at, max((START + r[0] for r in mine), default=0)

    for w, window in enumerate(LARGEST_WINDOWS):
        shows = within(window, 60, at_ms, last_ms)
        found = [min(r[1], 2**32 - 1) for r in mine if shows(START + r[0])]
        assert seen.largest[0, w] == max(found, default=0)
    for w, window in enumerate(NEAR_WINDOWS):
        shows = within(window, 30, at_ms, last_ms)
        assert seen.near[0, w] == sum(near(r[1]) and shows(START + r[0]) for r in mine)
    shows = within(Window("60d", HORIZON_MS, 10 * DAY_MS), 6, at_ms, last_ms)
    slots = [category_slot(r[2]) for r in mine if r[2] is not None and shows(START + r[0])]
    assert seen.category_total[0] == len(slots)
    assert seen.category_count[0] == slots.count(category_slot("food"))

    position = seen.position
    assert position is not None
    home = [r[3] for r in mine if r[3] is not None and shows(START + r[0])]
    assert position.home_n[0] == len(home)
    assert position.home_lat_e6_sum[0] == sum(p[0] for p in home)
    assert position.home_lon_e6_sum[0] == sum(p[1] for p in home)
    newest = max(((r[0], *r[3]) for r in mine if r[3] is not None), default=None)
    if newest is None or START + newest[0] <= max(at_ms, last_ms) - HORIZON_MS:
        assert position.since_ms[0] == -1
    else:
        assert position.since_ms[0] == max(at - newest[0], 0)
        assert (position.lat_e6[0], position.lon_e6[0]) == newest[1:]


@settings(deadline=None)
@given(payments_of, st.integers(-20 * DAY_MS, 20 * DAY_MS))
def test_flows_of_both_accounts(rows: list[Payment], ahead: int) -> None:
    at = max(max((r[0] for r in rows), default=0) + ahead, 0)
    seen = seen_at(rows, (at, *ASKING[1:]))  # I pay a
    transfers = []
    for r in rows:
        if r[4] not in (None, "me"):
            payer, payee = (r[4], "me") if r[5] else ("me", r[4])
            transfers.append((START + r[0], payer, payee, r[1]))
    for role, own in (("payer", "me"), ("payee", "a")):
        flow = seen[role].flow
        assert flow is not None
        last_ms = max((t[0] for t in transfers if own in t[1:3]), default=0)
        at_ms = START + at
        parts = ((flow.in_count, flow.in_total, 2), (flow.out_count, flow.out_total, 1))
        for counts, totals, end in parts:
            for w, window in enumerate(FLOW_WINDOWS):
                shows = within(window, window.tiles, at_ms, last_ms)
                found = [t[3] for t in transfers if t[end] == own and shows(t[0])]
                assert counts[0, w] == len(found)
                assert totals[0, w] == sum(found)
        horizon = max(at_ms, last_ms) - HORIZON_MS
        for since, end in ((flow.in_since_ms, 2), (flow.out_since_ms, 1)):
            newest = max((t[0] for t in transfers if t[end] == own), default=0)
            assert since[0] == (max(at_ms - newest, 0) if newest > horizon else -1)
        other = "a" if own == "me" else "me"
        for partner, end in (("payers", 1), ("payees", 2)):
            times = [t[0] for t in transfers if t[end] == other and t[3 - end] == own]
            met = max(times, default=0) // 1000
            expected = max(at_ms // 1000 - met, 0) if met > horizon // 1000 else -1
            assert seen[role].partner_since_s[partner][0] == expected, (role, partner)


labels_given = st.lists(
    st.tuples(
        st.integers(0, 80 * DAY_MS),  # known after
        st.booleans(),
        st.integers(1, 10**9),
        st.none() | st.tuples(st.integers(1, 40 * DAY_MS), st.booleans()),  # corrected after
    ),
    max_size=25,
)
Label = tuple[int, bool, int, tuple[int, bool] | None]


def learnt(
    labels: list[Label], at: int, last: int, order: list[int] | None = None
) -> WindowAggregates:
    """A customer's state after all first labels, in some order, then corrections."""
    state = bytearray(CUSTOMER.size)
    state[:8] = (START + last).to_bytes(8, "little")
    picked = [labels[i] for i in order or range(len(labels))]
    for known, fraud, amount, _ in picked:
        learn(CUSTOMER, state, START + known, fraud, amount, None)
    for known, fraud, amount, correction in picked:
        if correction is not None:
            after, verdict = correction
            learn(CUSTOMER, state, START + known + after, verdict, amount, (START + known, fraud))
    (role,) = roles_of(CUSTOMER)
    asked = np.zeros((1, len(ID_COLUMNS)), dtype=np.uint32)
    at_ms = np.array([START + at], dtype=np.int64)
    return aggregates_of(read(Snapshot.only(role, [bytes(state)]), at_ms, asked, at_ms * 0))[
        "customer"
    ]


@settings(deadline=None)
@given(labels_given, st.integers(-20 * DAY_MS, 20 * DAY_MS), st.randoms(use_true_random=False))
def test_labels_and_their_corrections(labels: list[Label], ahead: int, random: object) -> None:
    force = [
        (known, fraud, amount)
        if correction is None
        else (known + correction[0], correction[1], amount)
        for known, fraud, amount, correction in labels
    ]
    newest_ms = START + max((f[0] for f in force), default=0)
    at = max(newest_ms - START + ahead, 0)
    at_ms = START + at
    order = list(range(len(labels)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for seen in (learnt(labels, at, 0), learnt(labels, at, 0, order)):
        shown: list[int] = []
        for w, window in enumerate(LABEL_WINDOWS):
            shows = within(window, window.tiles, at_ms, newest_ms)
            found = [f for f in force if shows(START + f[0])]
            frauds = [f for f in found if f[1]]
            assert seen.known[0, w] == len(found)
            assert seen.frauds[0, w] == len(frauds)
            assert seen.fraud_total[0, w] == sum(f[2] for f in frauds)
            shown += [(START + f[0]) // window.tile_ms * window.tile_ms for f in frauds]
        assert seen.fraud_known_age_ms[0] == (at_ms - max(shown) if shown else -1)
        days = sorted({s // DAY_MS for s in shown}, reverse=True)
        began = days[0] if days else None
        for day in days:
            if began is not None and began - day <= RUN_GAP_DAYS:
                began = day
        expected = -1 if began is None else at_ms - began * DAY_MS
        assert seen.fraud_run_age_ms[0] == expected
