"""Put events and labels into many states at once.

Does to each state what `state.observe` and `state.learn` do to one, to the same bytes. The states
are rows of one record array; within a call each row occurs once at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.entities import Entity, Role
from features.events import Events
from features.labels import LabelEvents
from features.rings import SATURATION, SOURCES, Ring
from features.windows import SECOND_MS
from fraud.batch import Int64

Records = NDArray[np.void]
_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class RowColumns:
    """n rows as columns: `values` int64[n] for each of `rings.SOURCES`, `hashes` int64[n] for each
    id column, 0 where a row names none."""

    values: dict[str, Int64]
    hashes: dict[str, Int64]

    @classmethod
    def of(cls, events: Events) -> RowColumns:
        return cls(
            {name: np.array(events.values[name], dtype=np.int64) for name in SOURCES},
            {name: np.array(column, dtype=np.int64) for name, column in events.hashes.items()},
        )

    def take(self, rows: Int64) -> RowColumns:
        """The rows at `rows`."""
        return RowColumns(
            {name: column[rows] for name, column in self.values.items()},
            {name: column[rows] for name, column in self.hashes.items()},
        )


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """m label events as columns, int64[m]; `previous_ms` is 0 where nothing is replaced."""

    known_at_ms: Int64
    fraud: Int64
    hundredths: Int64
    previous_ms: Int64
    previous_fraud: Int64

    @classmethod
    def of(cls, labels: LabelEvents) -> LabelColumns:
        previous = [(0, False) if p is None else p for p in labels.previous]
        return cls(
            np.array(labels.known_at_ms, dtype=np.int64),
            np.array(labels.fraud, dtype=np.int64),
            np.array(labels.hundredths, dtype=np.int64),
            np.array([known_at for known_at, _ in previous], dtype=np.int64),
            np.array([fraud for _, fraud in previous], dtype=np.int64),
        )

    def take(self, rows: Int64) -> LabelColumns:
        """The events at `rows`."""
        return LabelColumns(
            self.known_at_ms[rows],
            self.fraud[rows],
            self.hundredths[rows],
            self.previous_ms[rows],
            self.previous_fraud[rows],
        )


def observe_rows(role: Role, states: Records, at: Int64, rows: RowColumns) -> None:
    """Add one event to each of n different states, in place.

    Args:
        role: in which role the rows touch them.
        states: every state of the role's entity.
        at: int64[n]: which state each row goes into, no one twice.
        rows: n rows.
    """
    values, at_ms = rows.values, rows.values["at_ms"]
    for stamp in ("last_ms", *role.stamps):
        states[stamp][at] = np.maximum(states[stamp][at], at_ms)
    if role.entity.located:
        _move(states["position"], at, values)
    for name in role.groups:
        group = role.entity.groups[name]
        taken = values[group.kind.when] != 0
        if not taken.any():
            continue
        some = slice(None) if taken.all() else np.flatnonzero(taken)
        part = {source: column[some] for source, column in values.items()}
        for ring in group.rings:
            _add(states[name], ring, at[some], part)
    for table in role.tables:
        named = np.flatnonzero(rows.hashes[table.column])
        if len(named):
            first, capacity = table.first, table.capacity
            entries = states["partners"][:, first : first + capacity]
            _touch(entries, at[named], rows.hashes[table.column][named], at_ms[named] // SECOND_MS)


def _move(position: Any, at: Int64, values: dict[str, Int64]) -> None:
    rows = np.flatnonzero(values["located"])
    if not len(rows):
        return
    at = at[rows]
    new = [values[source][rows] for source in ("at_ms", "lat", "lon")]
    old = [position[name][at].astype(np.int64) for name in ("at_ms", "lat", "lon")]
    ahead = new[2] > old[2]
    for mine, theirs in ((new[1], old[1]), (new[0], old[0])):
        ahead = (mine > theirs) | ((mine == theirs) & ahead)
    for name, column in zip(("at_ms", "lat", "lon"), new, strict=True):
        position[name][at[ahead]] = column[ahead]


def _add(tiles: Any, ring: Ring, at: Int64, values: dict[str, Int64]) -> None:
    tile = values["at_ms"] // ring.tile_ms
    slot = ring.first + tile % ring.slots
    epoch = tiles["epoch"][at, slot].astype(np.int64)
    live = epoch <= tile  # the others: their slot has moved on
    if not live.all():
        at, slot, tile, epoch = at[live], slot[live], tile[live], epoch[live]
        values = {source: column[live] for source, column in values.items()}
    fresh = epoch < tile
    for field in ring.kind.fields:
        column, source = tiles[field.name], values[field.source]
        if field.how == "tally":
            column[at[fresh], slot[fresh]] = 0
            counter = source - 1
            count = column[at, slot, counter].astype(np.int64)
            column[at, slot, counter] = np.minimum(count + 1, field.limit)
            continue
        now = np.where(fresh, 0, column[at, slot].astype(np.int64))
        new = now + source if field.how == "add" else np.maximum(now, source)
        column[at, slot] = np.minimum(new, field.limit)
    tiles["epoch"][at, slot] = tile


def _touch(entries: Any, at: Int64, partner: Int64, at_s: Int64) -> None:
    # An entry read as one number, second above hash, is what tables are sorted by.
    mine = ((at_s << 32) | partner).astype(np.uint64)
    table = entries[at]
    same = (table & np.uint64(_MOST)) == partner.astype(np.uint64)[:, None]
    found = same.any(axis=1)
    place = np.where(found, same.argmax(axis=1), table.shape[1] - 1)
    rows = np.flatnonzero(mine > table[np.arange(len(at)), place])
    table = table[rows]
    table[np.arange(len(rows)), place[rows]] = mine[rows]
    # Descending, as the complement's ascending order.
    entries[at[rows]] = ~np.sort(~table, axis=1)


def learn_rows(entity: Entity, states: Records, at: Int64, labels: LabelColumns) -> None:
    """Put one label event into each of n different states, in place.

    Args:
        entity: whose states they are.
        states: every state of the entity.
        at: int64[n]: which state each event goes into, no one twice.
        labels: n label events.
    """
    tiles = states["labels"]
    for ring in entity.groups["labels"].rings:
        _take_out(tiles, ring, at, labels)
        tile = labels.known_at_ms // ring.tile_ms
        slot = ring.first + tile % ring.slots
        epoch = tiles["epoch"][at, slot].astype(np.int64)
        live = epoch <= tile
        fresh = (epoch < tile)[live]
        place = (at[live], slot[live])
        for name, added, limit in (
            ("known", np.ones_like(tile), _MOST),
            ("frauds", labels.fraud, _MOST),
            ("sum", labels.fraud * labels.hundredths, SATURATION),
        ):
            now = np.where(fresh, 0, tiles[name][place].astype(np.int64))
            tiles[name][place] = np.minimum(now + added[live], limit)
        tiles["epoch"][place] = tile[live]


def _take_out(tiles: Any, ring: Ring, at: Int64, labels: LabelColumns) -> None:
    rows = np.flatnonzero(labels.previous_ms)
    if not len(rows):
        return
    tile = labels.previous_ms[rows] // ring.tile_ms
    slot = ring.first + tile % ring.slots
    kept = tiles["epoch"][at[rows], slot] == tile
    rows, place = rows[kept], (at[rows][kept], slot[kept])
    lost = labels.previous_fraud[rows]
    for name, taken in (
        ("known", np.ones_like(lost)),
        ("frauds", lost),
        ("sum", lost * labels.hundredths[rows]),
    ):
        tiles[name][place] = np.maximum(tiles[name][place].astype(np.int64) - taken, 0)
