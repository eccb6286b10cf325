"""Read every window out of the states of n rows, each at its own moment: one compiled loop.

Putting events in is `folding.py`. This is the only code that reads, online and offline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.state.compiled import Compiled, Number, signed
from features.state.entities import ROLES
from features.state.read_layout import HEAD, READ_LAYOUT
from features.state.snapshot import Snapshot
from fraud.payment.batch import Int64

Words = NDArray[np.uint32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from the states of n rows, each at its own moment.

    Attributes:
        seen: int64[n, width], C-contiguous: all numbers, in the columns of `READ_LAYOUT`.
        present: bool[n, n_roles]: where there was a state; `seen` is blank elsewhere.
    """

    seen: Int64
    present: Bools

    @classmethod
    def blank(cls, n: int) -> Reading:
        """n rows without any state."""
        seen = np.broadcast_to(READ_LAYOUT.blank, (n, len(READ_LAYOUT.blank)))
        return cls(seen, np.zeros((n, len(ROLES)), dtype=np.bool_))

    def column(self, role: str, name: str) -> Int64:
        """int64[n]: the (first) number of that name."""
        return self.seen[:, READ_LAYOUT.columns[role, name][0]]


def read(snapshot: Snapshot, at_ms: Int64, hashes: NDArray[np.uint32], bucket: Int64) -> Reading:
    """Read every window of n states, each at its own moment.

    A window shows the tiles of its ring that lie within its span. A tile must also lie within the
    ring's length of the later of the moment and the entity's newest event. Tiles that only a stale
    slot still holds are thus invisible, and a state rebuilt from the newest 60 days reads the same.

    Args:
        snapshot: n rows.
        at_ms: int64[n], ms since the epoch.
        hashes: uint32[n, len(ID_COLUMNS)]: hash of the row's id in each of these columns, 0 for
            none.
        bucket: int64[n]: 1 + the counter of each row's category, 0 for none.
    """
    # A process that only ever reads blanks must not load the compiled code.
    if not snapshot.present.any():
        return Reading.blank(len(snapshot))
    seen = np.empty((len(snapshot), len(READ_LAYOUT.blank)), dtype=np.int64)
    seen[:] = READ_LAYOUT.blank
    _read(
        READ_LAYOUT.numbers,
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
    """The oldest visible tile of a window of `tiles` tiles; tile 0 is never used."""
    return max(newest_ms // tile_ms - slots + 1, at_ms // tile_ms - tiles + 1, 1)


@Compiled
def _newest_label(state: Words, first: Number, tile_words: Number, slots: Number) -> Number:
    """The newest tile of labels, which may be later than the newest payment."""
    newest = 0
    for s in range(slots):
        newest = max(newest, signed(state[first + s * tile_words]))
    return newest


@Compiled
def _segments(
    layout: Int64, p: Number, state: Words, at_ms: Number, newest_ms: Number, seen: Int64
) -> Number:
    """Read all segments. Returns where their numbers end."""
    n, p = layout[p], p + 1
    for _ in range(n):
        first, tile_words, tile_ms, slots = layout[p], layout[p + 1], layout[p + 2], layout[p + 3]
        own_newest_ms, fields = newest_ms, p + 7
        if layout[p + 5] != 0:
            label = _newest_label(state, first, tile_words, slots)
            own_newest_ms = max(newest_ms, label * tile_ms)
        oldest = _oldest(at_ms, own_newest_ms, tile_ms, slots, layout[p + 4])
        now, p = at_ms // tile_ms, fields + 4 * layout[p + 6]
        for s in range(slots):
            at = first + s * tile_words
            if oldest <= signed(state[at]) <= now:
                for f in range(fields, p, 4):
                    word = at + layout[f + 2]
                    value = signed(state[word]) if layout[f + 1] == 0 else _load(state, word)
                    column = layout[f + 3]
                    if layout[f] == 0:
                        seen[column] += value
                    else:
                        seen[column] = max(seen[column], value)
    return p


@Compiled
def _tables(
    layout: Int64,
    p: Number,
    state: Words,
    at_s: Number,
    newest_s: Number,
    hashes: Words,
    seen: Int64,
) -> Number:
    """Read all tables of partners. Returns where their numbers end."""
    n, p = layout[p], p + 1
    horizon_s = layout[0] // 1000
    for _ in range(n):
        first, capacity, sought = layout[p], layout[p + 1], signed(hashes[layout[p + 2]])
        since, distinct, n_spans = layout[p + 3], layout[p + 4], layout[p + 5]
        spans, p = p + 6, p + 6 + n_spans
        for e in range(first, first + 2 * capacity, 2):
            last_s = signed(state[e + 1])
            if last_s <= max(newest_s - horizon_s, 0):
                break  # newest first
            for w in range(n_spans):
                seen[distinct + w] += last_s > max(at_s - layout[spans + w], 0)
            if signed(state[e]) == sought:
                seen[since] = max(at_s - last_s, 0)
    return p


@Compiled
def _frauds(
    layout: Int64, p: Number, state: Words, at_ms: Number, newest_ms: Number, seen: Int64
) -> Number:
    """Read the time since the start of the newest label tile with a fraud, and since the run of
    frauds began: back from the newest day with a fraud over gaps of a few days. Returns where the
    numbers end."""
    n, p = layout[p], p + 1
    if n == 0:
        return p
    known_age, run_age = layout[p], layout[p + 1]
    any_fraud = False
    for column in range(layout[p + 2], layout[p + 3]):
        any_fraud = any_fraud or seen[column] != 0
    p += 4
    if not any_fraud:
        return p + 3 * n
    start_ms = 0
    run = -1
    for r in range(n):
        first, tile_ms, slots = layout[p], layout[p + 1], layout[p + 2]
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
                    if run >= 0 and age - run > layout[1]:
                        break
                    run = age
    seen[known_age] = at_ms - start_ms
    seen[run_age] = at_ms - (at_ms // layout[2] - run) * layout[2]
    return p


@Compiled
def _categories(
    layout: Int64,
    p: Number,
    state: Words,
    at_ms: Number,
    newest_ms: Number,
    bucket: Number,
    seen: Int64,
) -> Number:
    """Read the payments by category. Returns where the numbers end."""
    if layout[p] == 0:
        return p + 1
    first, tile_words, tile_ms, slots = layout[p + 1], layout[p + 2], layout[p + 3], layout[p + 4]
    oldest, now = _oldest(at_ms, newest_ms, tile_ms, slots, slots), at_ms // tile_ms
    own = total = 0
    for s in range(slots):
        at = first + s * tile_words
        if oldest <= signed(state[at]) <= now:
            for c in range(layout[p + 5]):
                count = (signed(state[at + 1 + c // 2]) >> (16 * (c % 2))) & 0xFFFF
                total += count
                if c == bucket - 1:
                    own += count
    seen[layout[p + 6]] = own if bucket > 0 else -1
    seen[layout[p + 7]] = total
    return p + 8


@Compiled
def _position(layout: Int64, p: Number, state: Words, seen: Int64) -> Number:
    """Read the last position and the sums of the home. Returns where the numbers end."""
    if layout[p] == 0:
        return p + 1
    lat_shift, lon_shift = layout[p + 8], layout[p + 9]
    if seen[layout[p + 2]] >= 0:
        seen[layout[p + 3]] = signed(state[layout[p + 1] + 2]) - lat_shift
        seen[layout[p + 4]] = signed(state[layout[p + 1] + 3]) - lon_shift
    n = seen[layout[p + 5]]
    seen[layout[p + 6]] -= n * lat_shift
    seen[layout[p + 7]] -= n * lon_shift
    return p + 10


@Compiled
def _read(
    layout: Int64,
    records: Words,
    present: Bools,
    at_ms: Int64,
    hashes: Words,
    bucket: Int64,
    seen: Int64,
) -> None:
    """Read every number of every row into `seen`, as `READ_LAYOUT` describes."""
    n, n_roles = present.shape
    starts = np.empty(n_roles, np.int64)
    p = HEAD
    for r in range(n_roles):
        starts[r] = p + 1
        p += 1 + layout[p]
    for i in range(n):
        own = seen[i]
        for r in range(n_roles):
            if not present[i, r]:
                continue
            p = starts[r]
            state = records[i, layout[p] :]
            newest_ms = max(at_ms[i], _load(state, 0))
            n_times, p = layout[p + 1], p + 2
            for _ in range(n_times):
                time = _load(state, layout[p])
                if time > max(newest_ms - layout[0], 0):
                    own[layout[p + 1]] = max(at_ms[i] - time, 0)
                p += 2
            p = _segments(layout, p, state, at_ms[i], newest_ms, own)
            p = _tables(layout, p, state, at_ms[i] // 1000, newest_ms // 1000, hashes[i], own)
            p = _frauds(layout, p, state, at_ms[i], newest_ms, own)
            p = _categories(layout, p, state, at_ms[i], newest_ms, bucket[i], own)
            p = _position(layout, p, state, own)
