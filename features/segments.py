"""Where the windows of entities lie in the records of rows, so that all are added up in a few
steps.

Few tiles of a state are in use: what shows is looked for first, and only that is added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.entities import Role
from features.snapshot import OFFSETS, Bools
from fraud.batch import Int64

Words = NDArray[np.uint32]

_BLOCK_ROWS = 256
"""So many rows at a time stay in the processor's cache."""
_TILE_WORDS = 5
"""Words after the epoch that are added up, or compared, in every tile."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What the windows of n rows add up to.

    Attributes:
        recent: bool[n, n_tiles]: whether a tile lies late enough to show; one that lies ahead of
            the moment does not show nevertheless.
        sums: int64[n, n_segments, 5]: sums of each word of the tiles that show, after their epochs.
        wide: int64[n, n_segments, 4]: of each two words, the low one first, taken for one number.
        largest: int64[n, n_segments]: the largest of the first words.
    """

    recent: Bools
    sums: Int64
    wide: Int64
    largest: Int64


class Segments:
    """The plan of reading the states of some roles. A segment is one window of one group: the tiles
    of its ring, of which those show that are younger than the window is long. Records are read as
    32-bit words.

    Attributes:
        tiles: (role, group) -> first and last + 1 of its tiles among those of all segments.
        of: (role, group) -> first and last + 1 of its segments, one for each window.
        fields: (role, group, field) -> the same; which word after the epoch the field begins with;
            its code.
        labels: first and last + 1 of the segments of labels of all roles.
    """

    def __init__(self, roles: Sequence[Role]) -> None:
        self.tiles: dict[tuple[str, str], tuple[int, int]] = {}
        self.of: dict[tuple[str, str], tuple[int, int]] = {}
        groups = [(r, g) for r, role in enumerate(roles) for g in role.entity.groups.values()]
        # Labels come later than the last payment: their own newest tile counts too. They are last.
        groups.sort(key=lambda found: not found[1].kind.when)
        widths: list[int] = []
        slots: list[int] = []
        reaches, owners, epochs = [], [], []
        n_dated = n_tiles = 0
        for r, group in groups:
            first, start = len(slots), n_tiles
            for window in group.windows:
                ring = group.rings[group.ring_of(window)]
                widths.append(ring.tile_ms)
                slots.append(ring.slots)
                reaches.append(window.tiles)
                owners.append(r)
                at = OFFSETS[roles[r].name] + ring.offset
                epochs.append((at + np.arange(ring.slots) * group.kind.struct.size) // 4)
                n_tiles += ring.slots
            self.tiles[roles[r].name, group.name] = (start, n_tiles)
            self.of[roles[r].name, group.name] = (first, len(slots))
            n_dated += len(group.windows) * bool(group.kind.when)
        self.labels = (n_dated, len(slots))
        self.fields = {
            (role, name, field.name): (*self.of[role, name], group.kind.word_of(field), field.code)
            for role, name, group in ((roles[r].name, g.name, g) for r, g in groups)
            for field in group.kind.fields
        }
        self._tile_ms = np.array(widths, dtype=np.int64)
        self._slots = np.array(slots, dtype=np.int64)
        self._reaches = np.array(reaches, dtype=np.int64)
        self._owners = np.array(owners, dtype=np.int64)
        self._epochs = np.concatenate(epochs)
        self._segment_of_tile = np.repeat(np.arange(len(slots)), slots)
        firsts = np.cumsum(self._slots) - self._slots
        self._label_tile = int(firsts[n_dated]) if n_dated < len(firsts) else n_tiles
        self._label_firsts = firsts[n_dated:] - self._label_tile

    def read(self, words: Words, at_ms: Int64, newest_ms: Int64) -> Windows:
        """What all windows add up to.

        What a full ring has let go of stays invisible wherever a stale slot still holds it, so that
        a state that was rebuilt from the newest 60 days reads the same: a tile shows if it lies
        within the ring's length of the later of the moment and the entity's newest event.

        Args:
            words: uint32[n, n_words], C-contiguous: records.
            at_ms: int64[n]: the moments.
            newest_ms: int64[n, n_roles]: the later of the moment and the entity's newest event.
        """
        if len(words) <= _BLOCK_ROWS:
            return self._read(words, at_ms, newest_ms)
        parts = []
        for start in range(0, len(words), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            parts.append(self._read(words[rows], at_ms[rows], newest_ms[rows]))
        names = Windows.__slots__
        return Windows(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))

    def _read(self, words: Words, at_ms: Int64, newest_ms: Int64) -> Windows:
        epoch = words.take(self._epochs, axis=1)
        now = at_ms[:, None] // self._tile_ms
        oldest = self._oldest(epoch, now, newest_ms)
        recent = epoch >= oldest.take(self._segment_of_tile, axis=1)
        flat = recent.ravel().nonzero()[0]  # of two dimensions it takes ten times as long
        row = flat // recent.shape[1]
        tile = flat - row * recent.shape[1]
        segment = self._segment_of_tile.take(tile)
        segment += row * len(self._slots)
        shown = epoch.ravel().take(flat) <= now.ravel().take(segment)
        if not shown.all():
            row, tile, segment = row[shown], tile[shown], segment[shown]
        return Windows(recent, *self._add_up(words, row, tile, segment))

    def _oldest(self, epoch: Words, now: Int64, newest_ms: Int64) -> Words:
        """uint32[n, n_segments]: the oldest tile of each that shows."""
        last = newest_ms.take(self._owners, axis=1)
        last //= self._tile_ms
        if len(self._label_firsts):
            labels = last[:, self.labels[0] :]
            own = np.maximum.reduceat(epoch[:, self._label_tile :], self._label_firsts, axis=1)
            np.maximum(labels, own, out=labels)
        last -= self._slots
        np.maximum(last, now - self._reaches, out=last)
        last += 1
        # Tile 0 is one that was never used.
        return np.maximum(last, 1).astype(np.uint32)

    def _add_up(
        self, words: Words, row: Int64, tile: Int64, segment: Int64
    ) -> tuple[Int64, Int64, Int64]:
        """`sums`, `wide` and `largest` of the tiles that show, in the order of their segments."""
        n, n_segments = len(words), len(self._slots)
        sums = np.zeros((n * n_segments, _TILE_WORDS), dtype=np.int64)
        largest = np.zeros(n * n_segments, dtype=np.int64)
        if len(segment):
            at = self._epochs.take(tile)
            at += row * words.shape[1]
            found = words.ravel().take(at[:, None] + _AFTER_EPOCH, mode="clip")
            first = np.empty(len(segment), dtype=np.bool_)
            first[0] = True
            np.not_equal(segment[1:], segment[:-1], out=first[1:])
            firsts = first.nonzero()[0]
            used = segment.take(firsts)
            sums[used] = np.add.reduceat(found, firsts, axis=0, dtype=np.int64)
            largest[used] = np.maximum.reduceat(found[:, 0], firsts)
        wide = sums[:, 1:] << 32
        wide += sums[:, :-1]
        return (
            sums.reshape(n, n_segments, _TILE_WORDS),
            wide.reshape(n, n_segments, _TILE_WORDS - 1),
            largest.reshape(n, n_segments),
        )


_AFTER_EPOCH = np.arange(1, _TILE_WORDS + 1)
