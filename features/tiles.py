"""Read every window out of the state of n entities at once, each at its own moment: numpy alone.

Putting events in is `state.py`. This is the only code that reads, online and offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.entities import KEPT, Entity, Role
from features.rings import LAT_SHIFT, LON_SHIFT
from features.segments import Segments
from features.windows import DAY_MS, HORIZON_MS, RUN_GAP_DAYS, SECOND_MS
from fraud.batch import Int64

Bools = NDArray[np.bool_]

_SEGMENTS = {entity.name: Segments(entity) for entity in KEPT}


@dataclass(frozen=True, slots=True)
class States:
    """State of one role's entity for n rows, as it was before each.

    Attributes:
        present: bool[n]: the row touches an entity in this role, and its state could be had.
        matrix: uint8[n, entity.size], C-contiguous; zeros where nothing is present.
    """

    present: Bools
    matrix: NDArray[np.uint8]

    @classmethod
    def of(cls, entity: Entity, states: Sequence[bytes | None]) -> States:
        """From n values, None where there is none."""
        if not any(states):
            return cls.none(entity, len(states))
        blank = bytes(entity.size)
        joined = b"".join([blank if state is None else state for state in states])
        matrix = np.frombuffer(joined, dtype=np.uint8).reshape(len(states), entity.size)
        return cls(np.array([state is not None for state in states], dtype=np.bool_), matrix)

    @classmethod
    def none(cls, entity: Entity, n: int) -> States:
        """n rows without a state."""
        return cls(np.zeros(n, dtype=np.bool_), np.zeros((n, entity.size), dtype=np.uint8))

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: int) -> bytes | None:
        return self.matrix[i].tobytes() if self.present[i] else None


def _absent() -> Int64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the payments of n customers were made.

    Attributes:
        lat_e6, lon_e6: int64[n]: the newest payment with coordinates, micro-degrees; 0 if none.
        since_ms: int64[n]: since that payment, >= 0; -1 if there is none within 60 days.
        home_n: int64[n]: payments with coordinates in the last 60 days, in tiles of 10 days.
        home_lat_e6_sum, home_lon_e6_sum: int64[n]: sums of their coordinates, micro-degrees:
            divided by `home_n` they are the mean position.
    """

    lat_e6: Int64
    lon_e6: Int64
    since_ms: Int64
    home_n: Int64
    home_lat_e6_sum: Int64
    home_lon_e6_sum: Int64


@dataclass(frozen=True, slots=True)
class Flow:
    """Money into and out of n accounts, over `FLOW_WINDOWS` (24 h, 7 d).

    Attributes:
        in_count, in_total, out_count, out_total: int64[n, 2]: payments, hundredths of a unit.
        in_since_ms, out_since_ms: int64[n]: since the newest one, >= 0; -1 if there is none
            within 60 days.
    """

    in_count: Int64
    in_total: Int64
    out_count: Int64
    out_total: Int64
    in_since_ms: Int64
    out_since_ms: Int64


@dataclass(frozen=True, slots=True)
class WindowAggregates:
    """What the state of n entities said at n moments.

    What an entity keeps no state of is an empty array, or None.

    Attributes:
        present: bool[n]: the transaction names this entity and its state could be read.
        count, total, squares: int64[n, n_windows]: events; sum of amounts in hundredths of a
            unit; sum of squared amounts in hundredths of a squared unit.
        distinct: partner -> int64[n, n_windows].
        since_ms: int64[n]: since the newest event, >= 0; -1 if there is none within 60 days.
        partner_since_s: partner -> int64[n]: since the entity last met the partner that this
            transaction names, >= 0; -1 if not within 60 days.
        known, frauds, fraud_total: int64[n, 3] over `LABEL_WINDOWS` (24 h, 7 d, 30 d): labels
            that became known, frauds among them, the frauds' amounts in hundredths of a unit.
        fraud_known_age_ms: int64[n]: since the start of the newest label tile with a fraud in it,
            of the narrowest tiles that have one, >= 0; -1 if there is none within 30 days.
        fraud_run_age_ms: int64[n]: since the start of the oldest day of the current run of
            frauds: back from the newest day with a fraud over gaps of at most 10 days; -1 if
            there is none within 30 days.
        largest: int64[n, 3] over `LARGEST_WINDOWS` (7 d, 30 d, 60 d): largest amount in
            hundredths of a unit, 0 if there is none.
        near: int64[n, 2] over `NEAR_WINDOWS` (7 d, 30 d): payments just under the threshold.
        category_count, category_total: int64[n]: payments of the last 60 days in the category
            that this transaction names (-1: it names none), and in all categories.
        position: where its payments were made.
        flow: what the account received and paid.
    """

    present: NDArray[np.bool_]
    count: Int64
    total: Int64
    squares: Int64
    distinct: dict[str, Int64]
    since_ms: Int64
    partner_since_s: dict[str, Int64]
    known: Int64 = field(default_factory=_absent)
    frauds: Int64 = field(default_factory=_absent)
    fraud_total: Int64 = field(default_factory=_absent)
    fraud_known_age_ms: Int64 = field(default_factory=_absent)
    fraud_run_age_ms: Int64 = field(default_factory=_absent)
    largest: Int64 = field(default_factory=_absent)
    near: Int64 = field(default_factory=_absent)
    category_count: Int64 = field(default_factory=_absent)
    category_total: Int64 = field(default_factory=_absent)
    position: Position | None = None
    flow: Flow | None = None


def read(
    role: Role,
    states: States,
    at_ms: Int64,
    asked: NDArray[np.uint32],
    bucket: Int64,
) -> WindowAggregates:
    """Every window of n states, each at its own moment.

    Args:
        role: whose states they are.
        states: n states.
        at_ms: int64[n], ms since the epoch.
        asked: uint32[n, n_tables]: hash of the partner that is looked up in each of the entity's
            tables, 0 for none.
        bucket: int64[n]: 1 + the counter of the category that each row names, 0 for none.
    """
    seen = _Seen(role.entity, states.matrix, at_ms)
    none = np.empty((len(at_ms), 0), dtype=np.int64)
    amounts = "amounts" in role.entity.groups
    distinct, partner_since = _partners(seen, asked)
    return WindowAggregates(
        states.present,
        seen.sum("amounts", "count") if amounts else none,
        seen.sum("amounts", "sum") if amounts else none,
        seen.sum("amounts", "squares") if amounts else none,
        distinct,
        seen.since(seen.last_ms),
        partner_since,
        **_others(seen, bucket),
    )


def _others(seen: _Seen, bucket: Int64) -> dict[str, Any]:
    """What the entity keeps besides amounts, by field of `WindowAggregates`."""
    groups = seen.entity.groups
    found: dict[str, Any] = {}
    if "labels" in groups:
        found |= _labels(seen)
    if "largest" in groups:
        found["largest"] = _largest(seen)
    if "near" in groups:
        found["near"] = seen.sum("near", "count")
    if "categories" in groups:
        found |= _categories(seen, bucket)
    if seen.entity.located:
        found["position"] = _position(seen)
    if "inflow" in groups:
        found["flow"] = _flow(seen)
    return found


class _Seen:
    """n states of an entity and the moments at which they are read."""

    def __init__(self, entity: Entity, matrix: NDArray[np.uint8], at_ms: Int64) -> None:
        self.entity = entity
        self.records = matrix.view(entity.dtype)[:, 0]
        self.at_ms = at_ms
        self.last_ms: Int64 = np.ascontiguousarray(self.records["last_ms"])
        self.newest_ms: Int64 = np.maximum(at_ms, self.last_ms)
        self._segments = _SEGMENTS[entity.name]
        words = matrix.view("<u4")
        read = self._segments.read(words, at_ms, self.newest_ms)
        self._age, self._visible, self._sums = read

    def since(self, then_ms: Int64) -> Int64:
        """int64[n]: since the newest event of some kind, -1 if not within 60 days."""
        visible = (then_ms > 0) & (then_ms > self.newest_ms - HORIZON_MS)
        return np.where(visible, np.maximum(self.at_ms - then_ms, 0), -1)

    def tiles(self, name: str) -> tuple[NDArray[np.uint32], Bools]:
        """Of the tiles of a group's windows, one window after the other: uint32[n, n_tiles], how
        many tiles ago each was; bool[n, n_tiles], whether it shows."""
        start, stop = self._segments.tiles[name]
        return self._age[:, start:stop], self._visible[:, start:stop]

    def sum(self, group: str, field: str) -> Int64:
        """int64[n, n_windows]: sum of a field that adds."""
        where = self._segments.sums[group, field]
        low = self._sums[:, where.first : where.first + where.n_windows]
        if where.high is None:
            return low
        return low + (self._sums[:, where.high : where.high + where.n_windows] << 32)


def _largest(seen: _Seen) -> Int64:
    group = seen.entity.groups["largest"]
    _, visible = seen.tiles("largest")
    values = seen.records["largest"]["largest"]
    shown = visible.reshape(-1, len(group.windows), group.n_tiles)  # windows of one ring
    return np.asarray((values[:, None, :] * shown).max(axis=2), dtype=np.int64)


def _labels(seen: _Seen) -> dict[str, Int64]:
    group = seen.entity.groups["labels"]
    frauds = seen.sum("labels", "frauds")
    fraud_age = np.full(len(frauds), -1, dtype=np.int64)
    run_age = fraud_age.copy()
    rows = np.flatnonzero(frauds.any(axis=1))
    if len(rows):
        age, visible = seen.tiles("labels")
        tiles = seen.records["labels"][rows]
        marked, at_ms = visible[rows] & (tiles["frauds"] > 0), seen.at_ms[rows]
        start = tiles["epoch"] * group.tile_ms[group.ring_of_tile]
        fraud_age[rows] = at_ms - (start * marked).max(axis=1)
        days = group.rings[-1].first
        run = _run(marked[:, days:], age[rows, days:])
        run_age[rows] = at_ms - (at_ms // DAY_MS - run) * DAY_MS
    return {
        "known": seen.sum("labels", "known"),
        "frauds": frauds,
        "fraud_total": seen.sum("labels", "sum"),
        "fraud_known_age_ms": fraud_age,
        "fraud_run_age_ms": run_age,
    }


def _run(marked: Bools, age: NDArray[np.uint32]) -> Int64:
    """int64[n]: how many days ago the current run of marked days began; each row has one.

    Args:
        marked: bool[n, days]: which daily tiles count.
        age: uint32[n, days]: how many days ago each of these was.
    """
    by_age: Bools = np.zeros(marked.shape, dtype=np.bool_)
    i, j = np.nonzero(marked)
    by_age[i, age[i, j]] = True
    day = np.arange(marked.shape[1])
    newest = np.maximum.accumulate(np.where(by_age, day, -1), axis=1)  # marked day up to each
    before = np.concatenate([np.full((len(marked), 1), -1), newest[:, :-1]], axis=1)
    ends = by_age & (before >= 0) & (day - before > RUN_GAP_DAYS)
    rows = np.arange(len(marked))
    first = ends.argmax(axis=1)
    return np.where(ends[rows, first], before[rows, first], newest[:, -1])


def _categories(seen: _Seen, bucket: Int64) -> dict[str, Int64]:
    _, visible = seen.tiles("categories")
    counts = (seen.records["categories"]["counts"] * visible[:, :, None]).sum(
        axis=1, dtype=np.int64
    )
    own = counts[np.arange(len(counts)), np.maximum(bucket - 1, 0)]
    return {
        "category_count": np.where(bucket > 0, own, -1),
        "category_total": counts.sum(axis=1),
    }


def _position(seen: _Seen) -> Position:
    newest = seen.records["position"]
    since = seen.since(newest["at_ms"])
    lat = newest["lat"].astype(np.int64) - LAT_SHIFT
    lon = newest["lon"].astype(np.int64) - LON_SHIFT
    n, lats, lons = (seen.sum("positions", name)[:, 0] for name in ("count", "lat", "lon"))
    known = since >= 0
    return Position(
        np.where(known, lat, 0),
        np.where(known, lon, 0),
        since,
        n,
        lats - n * LAT_SHIFT,
        lons - n * LON_SHIFT,
    )


def _flow(seen: _Seen) -> Flow:
    return Flow(
        seen.sum("inflow", "count"),
        seen.sum("inflow", "sum"),
        seen.sum("outflow", "count"),
        seen.sum("outflow", "sum"),
        seen.since(seen.records["in_last_ms"]),
        seen.since(seen.records["out_last_ms"]),
    )


def _partners(seen: _Seen, asked: NDArray[np.uint32]) -> tuple[dict[str, Int64], dict[str, Int64]]:
    entity = seen.entity
    if not entity.tables:
        return {}, {}
    names = [table.partner for table in entity.tables]
    firsts = [table.first for table in entity.tables]
    at_s = (seen.at_ms // SECOND_MS)[:, None]
    horizon_s = seen.newest_ms[:, None] // SECOND_MS - HORIZON_MS // SECOND_MS
    entries = seen.records["partners"]
    last_s = (entries >> np.uint64(32)).astype(np.int64)
    last_s *= last_s > horizon_s
    within = last_s[:, None, :] > np.maximum(at_s - entity.spans_s, 0)[:, :, None]
    distinct = np.add.reduceat(within, firsts, axis=2, dtype=np.int64)
    same = entries.astype(np.uint32) == asked[:, entity.table_of_entry]
    met_s = np.maximum.reduceat(last_s * same, firsts, axis=1)
    since = np.where(met_s > 0, np.maximum(at_s - met_s, 0), -1)
    return (
        {name: distinct[:, :, i] for i, name in enumerate(names)},
        {name: since[:, i] for i, name in enumerate(names)},
    )
