from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.state.entities import KEPT, ROLES
from features.state.events import Events
from features.state.reading import read
from features.state.rings import Group
from features.state.snapshot import N_ROLES, OFFSETS, ROW_BYTES, Snapshot
from features.store.memory import MemoryStore
from fraud.payment.batch import Int64, TransactionBatch
from tests.contracts.aggregates import assert_same
from tests.contracts.payments import labels_of, payments
from tests.contracts.window_aggregates import aggregates_of

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
            for told in ("count", "squares", "frauds", "largest", "near", "since_ms"):
                wanted = getattr(whole[name], told)[some]
                assert np.array_equal(getattr(aggregates, told), wanted), (name, told)


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
    told = {"count": ("amounts", "count"), "squares": ("amounts", "squares")} | {
        "frauds": ("labels", "frauds"),
        "fraud_total": ("labels", "sum"),
        "near": ("near", "count"),
    }
    compared = 0
    for role in ROLES[:4]:
        matrix = np.ascontiguousarray(states[role.name].matrix)
        records = matrix.view(role.entity.dtype)[:, 0]
        for name, (group_name, field) in told.items():
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
    assert snapshot.named == (False, True, *[False] * (N_ROLES - 2))
    assert snapshot.records.sum() == sum(range(250))


def test_nobody_named_is_nothing_read() -> None:
    batch: TransactionBatch = replace(payments(3, seed=1), device_id=[None] * 3)
    events = Events.of(batch)
    at_ms, bucket = columns(events)
    assert aggregates_of(read(Snapshot.none(3), at_ms, events.hashes, bucket)) == {}
    states = MemoryStore().observe(events).states
    assert "device" not in aggregates_of(read(states, at_ms, events.hashes, bucket))
