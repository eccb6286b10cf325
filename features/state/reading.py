"""Read every window out of the states of n rows, each at its own moment: one compiled loop.

Putting events in is `folding.py`. This is the only code that reads, online and offline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.state.compiled import Compiled, Number, signed
from features.state.entities import ROLES
from features.state.read_layout import HEAD, LENS
from features.state.snapshot import Snapshot
from fraud.payment.batch import Int64

Words = NDArray[np.uint32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the states of n rows said, each at its own moment.

    Attributes:
        seen: int64[n, width], C-contiguous: every number; `lens.LENS` tells the columns.
        present: bool[n, n_roles]: where there was a state; `seen` is blank for the others.
    """

    seen: Int64
    present: Bools

    @classmethod
    def blank(cls, n: int) -> Reading:
        """n rows of which nothing is known."""
        seen = np.broadcast_to(LENS.blank, (n, len(LENS.blank)))
        return cls(seen, np.zeros((n, len(ROLES)), dtype=np.bool_))

    def column(self, role: str, name: str) -> Int64:
        """int64[n]: the number of that name."""
        return self.seen[:, LENS.columns[role, name][0]]


def read(snapshot: Snapshot, at_ms: Int64, hashes: NDArray[np.uint32], bucket: Int64) -> Reading:
    """Every window of n states, each at its own moment.

    A window shows the tiles of its ring that are younger than it is long. What a full ring has let
    go of stays invisible wherever a stale slot still holds it, so that a state that was rebuilt
    from the newest 60 days reads the same: a tile shows if it lies within the ring's length of the
    later of the moment and the entity's newest event.

    Args:
        snapshot: n rows.
        at_ms: int64[n], ms since the epoch.
        hashes: uint32[n, len(ID_COLUMNS)]: hash of what the row names in each of these columns, 0
            for none.
        bucket: int64[n]: 1 + the counter of the category that each row names, 0 for none.
    """
    # Whoever only ever sees blanks must not load what reads (compiled.py).
    if not snapshot.present.any():
        return Reading.blank(len(snapshot))
    seen = np.empty((len(snapshot), len(LENS.blank)), dtype=np.int64)
    seen[:] = LENS.blank
    _read(
        LENS.numbers,
        snapshot.records.view(np.uint32),
        snapshot.present,
        np.ascontiguousarray(at_ms),
        np.ascontiguousarray(hashes),
        np.ascontiguousarray(bucket),
        seen,
    )
    return Reading(seen, snapshot.present)


@Compiled
def _load(words: Words, at: Number) -> Number:
    return signed(words[at]) | (signed(words[at + 1]) << 32)


@Compiled
def _oldest(
    at_ms: Number, newest_ms: Number, tile_ms: Number, slots: Number, tiles: Number
) -> Number:
    """The oldest tile that shows in a window of so many tiles; tile 0 was never used."""
    return max(newest_ms // tile_ms - slots + 1, at_ms // tile_ms - tiles + 1, 1)


@Compiled
def _newest_label(state: Words, first: Number, tile_words: Number, slots: Number) -> Number:
    """Labels come later than the last payment: their own newest tile counts too."""
    newest = 0
    for s in range(slots):
        newest = max(newest, signed(state[first + s * tile_words]))
    return newest


@Compiled
def _add_up(
    lens: Int64, p: Number, state: Words, at_ms: Number, newest_ms: Number, seen: Int64
) -> Number:
    """All segments; returns where their numbers end."""
    n, p = lens[p], p + 1
    for _ in range(n):
        first, tile_words, tile_ms, slots = lens[p], lens[p + 1], lens[p + 2], lens[p + 3]
        own_newest_ms, fields = newest_ms, p + 7
        if lens[p + 5] != 0:
            label = _newest_label(state, first, tile_words, slots)
            own_newest_ms = max(newest_ms, label * tile_ms)
        oldest = _oldest(at_ms, own_newest_ms, tile_ms, slots, lens[p + 4])
        now, p = at_ms // tile_ms, fields + 4 * lens[p + 6]
        for s in range(slots):
            at = first + s * tile_words
            if oldest <= signed(state[at]) <= now:
                for f in range(fields, p, 4):
                    word = at + lens[f + 2]
                    value = signed(state[word]) if lens[f + 1] == 0 else _load(state, word)
                    column = lens[f + 3]
                    if lens[f] == 0:
                        seen[column] += value
                    else:
                        seen[column] = max(seen[column], value)
    return p


@Compiled
def _meet(
    lens: Int64, p: Number, state: Words, at_s: Number, newest_s: Number, hashes: Words, seen: Int64
) -> Number:
    """All tables of partners; returns where their numbers end."""
    n, p = lens[p], p + 1
    horizon_s = lens[0] // 1000
    for _ in range(n):
        first, capacity, asked = lens[p], lens[p + 1], signed(hashes[lens[p + 2]])
        since, distinct, n_spans = lens[p + 3], lens[p + 4], lens[p + 5]
        spans, p = p + 6, p + 6 + n_spans
        for e in range(first, first + 2 * capacity, 2):
            last_s = signed(state[e + 1])
            if last_s <= max(newest_s - horizon_s, 0):
                break  # newest first
            for w in range(n_spans):
                seen[distinct + w] += last_s > max(at_s - lens[spans + w], 0)
            if signed(state[e]) == asked:
                seen[since] = max(at_s - last_s, 0)
    return p


@Compiled
def _frauds(
    lens: Int64, p: Number, state: Words, at_ms: Number, newest_ms: Number, seen: Int64
) -> Number:
    """Since the start of the newest label tile with a fraud in it; since the run of frauds began:
    back from the newest day with one over gaps of a few days. Returns where the numbers end."""
    n, p = lens[p], p + 1
    if n == 0:
        return p
    known_age, run_age = lens[p], lens[p + 1]
    any_fraud = False
    for column in range(lens[p + 2], lens[p + 3]):
        any_fraud = any_fraud or seen[column] != 0
    p += 4
    if not any_fraud:
        return p + 3 * n
    start_ms = 0
    run = -1
    for r in range(n):
        first, tile_ms, slots = lens[p], lens[p + 1], lens[p + 2]
        p += 3
        label = _newest_label(state, first, 5, slots)
        oldest = _oldest(at_ms, max(newest_ms, label * tile_ms), tile_ms, slots, slots)
        now = at_ms // tile_ms
        marked = np.zeros(slots, np.bool_)
        for s in range(slots):
            epoch = signed(state[first + 5 * s])
            if oldest <= epoch <= now and state[first + 5 * s + 2] > 0:
                start_ms = max(start_ms, epoch * tile_ms)
                marked[now - epoch] = True
        if r == n - 1:
            for age in range(slots):
                if marked[age]:
                    if run >= 0 and age - run > lens[1]:
                        break
                    run = age
    seen[known_age] = at_ms - start_ms
    seen[run_age] = at_ms - (at_ms // lens[2] - run) * lens[2]
    return p


@Compiled
def _mix(
    lens: Int64,
    p: Number,
    state: Words,
    at_ms: Number,
    newest_ms: Number,
    bucket: Number,
    seen: Int64,
) -> Number:
    """Payments by category; returns where the numbers end."""
    if lens[p] == 0:
        return p + 1
    first, tile_words, tile_ms, slots = lens[p + 1], lens[p + 2], lens[p + 3], lens[p + 4]
    oldest, now = _oldest(at_ms, newest_ms, tile_ms, slots, slots), at_ms // tile_ms
    own = total = 0
    for s in range(slots):
        at = first + s * tile_words
        if oldest <= signed(state[at]) <= now:
            for c in range(lens[p + 5]):
                count = (signed(state[at + 1 + c // 2]) >> (16 * (c % 2))) & 0xFFFF
                total += count
                if c == bucket - 1:
                    own += count
    seen[lens[p + 6]] = own if bucket > 0 else -1
    seen[lens[p + 7]] = total
    return p + 8


@Compiled
def _place(lens: Int64, p: Number, state: Words, seen: Int64) -> Number:
    """Where it was last, and what its home adds up to; returns where the numbers end."""
    if lens[p] == 0:
        return p + 1
    lat_shift, lon_shift = lens[p + 8], lens[p + 9]
    if seen[lens[p + 2]] >= 0:
        seen[lens[p + 3]] = signed(state[lens[p + 1] + 2]) - lat_shift
        seen[lens[p + 4]] = signed(state[lens[p + 1] + 3]) - lon_shift
    n = seen[lens[p + 5]]
    seen[lens[p + 6]] -= n * lat_shift
    seen[lens[p + 7]] -= n * lon_shift
    return p + 10


@Compiled
def _read(
    lens: Int64,
    records: Words,
    present: Bools,
    at_ms: Int64,
    hashes: Words,
    bucket: Int64,
    seen: Int64,
) -> None:
    """Every number of every row: `lens.LENS` says which, and where in `seen` they go."""
    n, n_roles = present.shape
    starts = np.empty(n_roles, np.int64)
    p = HEAD
    for r in range(n_roles):
        starts[r] = p + 1
        p += 1 + lens[p]
    for i in range(n):
        own = seen[i]
        for r in range(n_roles):
            if not present[i, r]:
                continue
            p = starts[r]
            state = records[i, lens[p] :]
            newest_ms = max(at_ms[i], _load(state, 0))
            n_times, p = lens[p + 1], p + 2
            for _ in range(n_times):
                time = _load(state, lens[p])
                if time > max(newest_ms - lens[0], 0):
                    own[lens[p + 1]] = max(at_ms[i] - time, 0)
                p += 2
            p = _add_up(lens, p, state, at_ms[i], newest_ms, own)
            p = _meet(lens, p, state, at_ms[i] // 1000, newest_ms // 1000, hashes[i], own)
            p = _frauds(lens, p, state, at_ms[i], newest_ms, own)
            p = _mix(lens, p, state, at_ms[i], newest_ms, bucket[i], own)
            p = _place(lens, p, state, own)
