"""Where the windows of an entity lie in its bytes, so that all are added up in a few steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.entities import Entity
from features.rings import Group
from fraud.batch import Int64

Words = NDArray[np.uint32]
Bools = NDArray[np.bool_]

_BLOCK_ROWS = 512
"""So many rows at a time stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Where a field's windows come out: columns `first` .. of the sums, one for each window; for
    64-bit fields their high words come in as many columns from `high` on."""

    first: int
    n_windows: int
    high: int | None


class Segments:
    """The plan of reading an entity. A segment is one window of one group: the tiles of its ring,
    of which those show that are younger than the window is long. A state is read as 32-bit words.

    Attributes:
        tiles: group -> first and last + 1 of its tiles among those of all segments.
    """

    def __init__(self, entity: Entity) -> None:
        widths, slots, reaches, self_dated, epochs = [], [], [], [], []
        self.tiles: dict[str, tuple[int, int]] = {}
        n_tiles = 0
        for group in entity.groups.values():
            start = n_tiles
            for window in group.windows:
                ring = group.rings[group.ring_of(window)]
                widths.append(ring.tile_ms)
                slots.append(ring.slots)
                reaches.append(window.tiles)
                # Labels come later than the last payment: their own newest tile counts too.
                self_dated.append(not group.kind.when)
                epochs.append(_words(group, group.ring_of(window), 0))
                n_tiles += ring.slots
            self.tiles[group.name] = (start, n_tiles)
        self._tile_ms = np.array(widths, dtype=np.int64)
        self._slots = np.array(slots, dtype=np.int64)
        self._tiles = np.array(reaches, dtype=np.int64)
        self._self_dated = np.array(self_dated, dtype=np.int64)
        self._epochs = np.concatenate(epochs)
        self._firsts = np.cumsum(self._slots) - self._slots
        self.sums: dict[tuple[str, str], Sum] = {}
        self._plan_sums(entity)

    def _plan_sums(self, entity: Entity) -> None:
        words: list[Int64] = []
        tiles: list[Int64] = []
        lengths: list[int] = []
        for group in entity.groups.values():
            start, stop = self.tiles[group.name]
            for field in group.kind.fields:
                if field.how != "add":
                    continue
                at = group.kind.dtype.fields[field.name][1]  # type: ignore[index]
                first = len(lengths)
                halves = (at, at + 4) if field.code == "q" else (at,)
                for half in halves:
                    for window in group.windows:
                        r = group.ring_of(window)
                        words.append(_words(group, r, half))
                        lengths.append(group.rings[r].slots)
                    tiles.append(np.arange(start, stop))
                n = len(group.windows)
                high = first + n if field.code == "q" else None
                self.sums[group.name, field.name] = Sum(first, n, high)
        self._words = np.concatenate(words)
        self._word_tiles = np.concatenate(tiles)
        self._word_firsts = np.cumsum(lengths) - np.array(lengths, dtype=np.int64)

    def read(self, state: Words, at_ms: Int64, newest_ms: Int64) -> tuple[Words, Bools, Int64]:
        """How old the tiles of all segments are, whether they show, and what they add up to.

        What a full ring has let go of stays invisible wherever a stale slot still holds it, so that
        a state that was rebuilt from the newest 60 days reads the same: a tile shows if it lies
        within the ring's length of the later of the moment and the entity's newest event.

        Args:
            state: uint32[n, n_words].
            at_ms: int64[n]: the moments.
            newest_ms: int64[n]: the later of the moment and the entity's newest event.

        Returns:
            uint32[n, n_tiles]: how many tiles ago each was; bool[n, n_tiles]: whether it shows;
            int64[n, ...]: sums of every field that adds, in the columns that `sums` says.
        """
        parts = []
        for start in range(0, max(len(state), 1), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            age, visible = self._ages(state[rows], at_ms[rows], newest_ms[rows])
            parts.append((age, visible, self._add_up(state[rows], visible)))
        if len(parts) == 1:
            return parts[0]
        ages, shows, sums = zip(*parts, strict=True)
        return np.concatenate(ages), np.concatenate(shows), np.concatenate(sums)

    def _ages(self, state: Words, at_ms: Int64, newest_ms: Int64) -> tuple[Words, Bools]:
        epoch = state.take(self._epochs, axis=1)
        now = at_ms[:, None] // self._tile_ms
        last = newest_ms[:, None] // self._tile_ms
        own = np.maximum.reduceat(epoch, self._firsts, axis=1) * self._self_dated
        reach = np.minimum(self._slots + now - np.maximum(last, own), self._tiles)
        reach = np.maximum(reach, 0).astype(np.uint32)
        # Unsigned: what lies ahead of the moment becomes very old.
        age = np.repeat(now.astype(np.uint32), self._slots, axis=1) - epoch
        return age, age < np.repeat(reach, self._slots, axis=1)

    def _add_up(self, state: Words, visible: Bools) -> Int64:
        values = state.take(self._words, axis=1)
        values *= visible.take(self._word_tiles, axis=1)
        total: Int64 = np.add.reduceat(values, self._word_firsts, axis=1, dtype=np.int64)
        return total


def _words(group: Group, ring: int, offset: int) -> Int64:
    """int64[slots]: which word of the state holds byte `offset` of each tile of a ring."""
    r = group.rings[ring]
    return (r.offset + offset + np.arange(r.slots) * group.kind.struct.size) // 4
