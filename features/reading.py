"""Read every window out of the states of n rows at once, each at its own moment: numpy alone.

All roles are read together: a step over the records of one row costs what a step over those of
thirty does. Putting events in is `state.py`. This is the only code that reads, online and offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.entities import HEADER_BYTES, ROLES, Role
from features.rings import LABELS, LAT_SHIFT, LON_SHIFT
from features.segments import Segments, Windows, Words
from features.snapshot import OFFSETS, Bools, Snapshot
from features.tables import Tables
from features.tiles import Flow, Position, WindowAggregates
from features.windows import DAY_MS, HORIZON_MS, RUN_GAP_DAYS
from fraud.batch import Int64

_FRAUDS = LABELS.word_of(LABELS.fields[1])


def read(
    snapshot: Snapshot, at_ms: Int64, hashes: NDArray[np.uint32], bucket: Int64
) -> dict[str, WindowAggregates]:
    """Role -> every window of n states, each at its own moment; roles in which no row has a state
    are left out.

    Args:
        snapshot: n rows.
        at_ms: int64[n], ms since the epoch.
        hashes: uint32[n, len(ID_COLUMNS)]: hash of what the row names in each of these columns, 0
            for none.
        bucket: int64[n]: 1 + the counter of the category that each row names, 0 for none.
    """
    named = snapshot.named
    return _plan(named).read(snapshot, at_ms, hashes, bucket) if any(named) else {}


class _Plan:
    """Where everything lies in the records of rows that touch entities in some roles."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._roles = roles
        self._segments = Segments(roles)
        self._tables = Tables(roles)
        starts = [OFFSETS[role.name] // 8 for role in roles]
        # Times: of the newest event of each role, then those that some roles keep besides.
        times, owners = list(starts), list(range(len(roles)))
        self._times: dict[tuple[str, str], int] = {}
        for r, role in enumerate(roles):
            kept = [(s, HEADER_BYTES + 8 * i) for i, s in enumerate(role.entity.stamps)]
            if role.entity.located:
                kept.append(("position", role.entity.position_offset))
            for name, offset in kept:
                self._times[role.name, name] = len(times)
                times.append(starts[r] + offset // 8)
                owners.append(r)
        self._times_at, self._owners = np.array(times), np.array(owners)

    def read(
        self, snapshot: Snapshot, at_ms: Int64, hashes: NDArray[np.uint32], bucket: Int64
    ) -> dict[str, WindowAggregates]:
        words = snapshot.records.view("<u4")
        times = snapshot.records.view("<i8").take(self._times_at, axis=1)
        newest = np.maximum(at_ms[:, None], times[:, : len(self._roles)])
        # Since each time; -1 if it lies more than 60 days before the newest event.
        oldest = np.maximum(newest - HORIZON_MS, 0).take(self._owners, axis=1)
        since = np.where(times > oldest, np.maximum(at_ms[:, None] - times, 0), -1)
        windows = self._segments.read(words, at_ms, newest)
        seen = _Seen(self._segments, windows, snapshot, at_ms)
        distinct, partner_since = self._tables.read(words, at_ms, newest, hashes)
        found = {}
        for r, role in enumerate(self._roles):
            name = role.name
            found[name] = WindowAggregates(
                snapshot[name].present,
                seen.sums(role, "amounts", "count"),
                seen.sums(role, "amounts", "sum"),
                seen.sums(role, "amounts", "squares"),
                distinct[name],
                since[:, r],
                partner_since[name],
                **self._others(role, seen, since, bucket),
            )
        return found

    def _others(self, role: Role, seen: _Seen, since: Int64, bucket: Int64) -> dict[str, Any]:
        """What the entity keeps besides amounts, by field of `WindowAggregates`."""
        groups, name = role.entity.groups, role.name
        found: dict[str, Any] = {}
        if "labels" in groups:
            found |= _labels(role, seen)
        if "largest" in groups:
            found["largest"] = seen.largest(role, "largest")
        if "near" in groups:
            found["near"] = seen.sums(role, "near", "count")
        if "categories" in groups:
            found |= _categories(role, seen, bucket)
        if role.entity.located:
            found["position"] = _position(role, seen, since[:, self._times[name, "position"]])
        if "inflow" in groups:
            found["flow"] = Flow(
                seen.sums(role, "inflow", "count"),
                seen.sums(role, "inflow", "sum"),
                seen.sums(role, "outflow", "count"),
                seen.sums(role, "outflow", "sum"),
                since[:, self._times[name, "in_last_ms"]],
                since[:, self._times[name, "out_last_ms"]],
            )
        return found


@cache
def _plan(named: tuple[bool, ...]) -> _Plan:
    return _Plan([role for role, is_named in zip(ROLES, named, strict=True) if is_named])


class _Seen:
    """What was read of n rows."""

    def __init__(
        self, segments: Segments, windows: Windows, snapshot: Snapshot, at_ms: Int64
    ) -> None:
        self._segments = segments
        self._windows = windows
        self._records = snapshot.records
        self.at_ms = at_ms
        # Most batches have no fraud in them.
        labels = windows.sums[:, slice(*segments.labels), _FRAUDS]
        self.any_fraud = bool(labels.any())

    def sums(self, role: Role, group: str, field: str) -> Int64:
        """int64[n, n_windows]: sums of a field; [n, 0] if the role has no such group."""
        found = self._segments.fields.get((role.name, group, field))
        if found is None:
            return self._windows.largest[:, :0]
        start, stop, word, code = found
        sums = self._windows.wide if code == "q" else self._windows.sums
        return sums[:, start:stop, word]

    def largest(self, role: Role, group: str) -> Int64:
        """int64[n, n_windows]: maxima of the first field."""
        start, stop = self._segments.of[role.name, group]
        return self._windows.largest[:, start:stop]

    def visible(self, role: Role, group: str, epoch: Words, now: Int64) -> Bools:
        """bool[n, n_tiles]: which tiles of a group show, one window after the other.

        Args:
            epoch: uint32[n, n_tiles] of these tiles.
            now: int64[n, n_tiles]: that of the moment, in tiles of the same width.
        """
        start, stop = self._segments.tiles[role.name, group]
        return self._windows.recent[:, start:stop] & (epoch <= now)

    def records(self, role: Role) -> Any:
        """Records[n]: the whole states."""
        start = OFFSETS[role.name]
        return self._records[:, start : start + role.entity.size].view(role.entity.dtype)[:, 0]


def _labels(role: Role, seen: _Seen) -> dict[str, Int64]:
    frauds = seen.sums(role, "labels", "frauds")
    fraud_age = run_age = np.full(len(frauds), -1, dtype=np.int64)
    if seen.any_fraud and len(rows := np.flatnonzero(frauds.any(axis=1))):
        fraud_age, run_age = fraud_age.copy(), fraud_age.copy()
        fraud_age[rows], run_age[rows] = _fraud_ages(role, seen, rows)
    return {
        "known": seen.sums(role, "labels", "known"),
        "frauds": frauds,
        "fraud_total": seen.sums(role, "labels", "sum"),
        "fraud_known_age_ms": fraud_age,
        "fraud_run_age_ms": run_age,
    }


def _fraud_ages(role: Role, seen: _Seen, rows: Int64) -> tuple[Int64, Int64]:
    """int64[n_rows] each: since the newest label tile with a fraud in it; since the run began."""
    group = role.entity.groups["labels"]
    tiles, at_ms = seen.records(role)["labels"], seen.at_ms
    tile_ms = group.tile_ms[group.ring_of_tile]
    now = at_ms[:, None] // tile_ms
    marked = seen.visible(role, "labels", tiles["epoch"], now) & (tiles["frauds"] > 0)
    start = (tiles["epoch"] * tile_ms * marked).max(axis=1)
    days = group.rings[-1].first
    run = _run(marked[rows, days:], (now - tiles["epoch"])[rows, days:])
    return (at_ms - start)[rows], at_ms[rows] - (at_ms[rows] // DAY_MS - run) * DAY_MS


def _run(marked: Bools, age: Int64) -> Int64:
    """int64[n]: how many days ago the current run of marked days began; each row has one.

    Args:
        marked: bool[n, days]: which daily tiles count.
        age: int64[n, days]: how many days ago each of these was.
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


def _categories(role: Role, seen: _Seen, bucket: Int64) -> dict[str, Int64]:
    tiles, (ring,) = seen.records(role)["categories"], role.entity.groups["categories"].rings
    now = seen.at_ms[:, None] // ring.tile_ms
    visible = seen.visible(role, "categories", tiles["epoch"], now)
    counts = tiles["counts"] * visible[:, :, None]
    in_all = counts.sum(axis=1, dtype=np.int64)
    own = in_all[np.arange(len(in_all)), np.maximum(bucket - 1, 0)]
    return {
        "category_count": np.where(bucket > 0, own, -1),
        "category_total": in_all.sum(axis=1),
    }


def _position(role: Role, seen: _Seen, since_ms: Int64) -> Position:
    newest = seen.records(role)["position"]
    known = since_ms >= 0
    n = seen.sums(role, "positions", "count")[:, 0]
    return Position(
        np.where(known, newest["lat"].astype(np.int64) - LAT_SHIFT, 0),
        np.where(known, newest["lon"].astype(np.int64) - LON_SHIFT, 0),
        since_ms,
        n,
        seen.sums(role, "positions", "lat")[:, 0] - n * LAT_SHIFT,
        seen.sums(role, "positions", "lon")[:, 0] - n * LON_SHIFT,
    )
