"""The parts of an entity's state: rings of tiles, by kind, and tables of partners.

A ring is a circular buffer of tiles of one width. Tile number e lives in slot e mod slots, which
holds the largest e ever put there. A tile is an epoch (u32, its number; 0 if never used) and the
fields of its kind. Every field is a non-negative integer that grows by addition or maximum and
saturates, so the order in which events arrive changes nothing. A new kind of state is one `Kind`,
and one `Group` of an entity.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from features.state.windows import Window

SATURATION = 2**53
"""Integers up to here are exact in Python, NumPy, compiled loops and PostgreSQL alike."""

CATEGORY_SLOTS = 32
"""Number of counters that merchant categories are hashed into."""

LAT_SHIFT, LON_SHIFT = 90_000_000, 180_000_000
"""Micro-degrees count from the south pole and the date line: their sums only grow."""

PARTNER_BYTES = 8

SOURCES = (
    "at_ms",
    "one",
    "hundredths",
    "squares",
    "near",
    "located",
    "lat",
    "lon",
    "bucket",
)
"""Numbers of a row that rings use: time (ms since the epoch), 1, amount in hundredths of a unit,
its square in hundredths of a squared unit, whether it lies just under the threshold, whether there
are coordinates, these in micro-degrees from the south pole and the date line (>= 0), and 1 + the
counter of its category (0: no category)."""

LIMITS = {"I": 2**32 - 1, "q": SATURATION, "H": 2**16 - 1}


@dataclass(frozen=True, slots=True)
class Field:
    """A number, or `width` of them, in a tile.

    Attributes:
        source: the number of the row that goes in, one of `SOURCES`.
        code: u32 (`I`), i64 (`q`) or u16 (`H`).
        how: `add`; `max`; or `tally`: add 1 to the counter that the source names, from 1.
    """

    name: str
    source: str
    code: Literal["I", "q", "H"]
    how: Literal["add", "max", "tally"] = "add"
    width: int = 1

    @property
    def limit(self) -> int:
        """The value at which it saturates."""
        return LIMITS[self.code]

    @property
    def index(self) -> int:
        """Place of the source in a row."""
        return SOURCES.index(self.source)


@dataclass(frozen=True)
class Kind:
    """The contents of a tile.

    Attributes:
        when: the source that must not be 0 for a row to go in; "" if rows never do.
    """

    name: str
    fields: tuple[Field, ...]
    when: str = "one"

    @cached_property
    def struct(self) -> struct.Struct:
        """One tile: epoch, then the fields."""
        return struct.Struct(
            "<I" + "".join(f"{f.width if f.width > 1 else ''}{f.code}" for f in self.fields)
        )

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The same as a NumPy record."""
        letters = {"I": "<u4", "q": "<i8", "H": "<u2"}
        return np.dtype(
            [
                ("epoch", "<u4"),
                *(
                    (f.name, letters[f.code], (f.width,))
                    if f.width > 1
                    else (f.name, letters[f.code])
                    for f in self.fields
                ),
            ]
        )

    def word_of(self, field: Field) -> int:
        """The first 32-bit word of a field, counted after the epoch."""
        at: int = self.dtype.fields[field.name][1]  # type: ignore[index]
        return at // 4 - 1

    @cached_property
    def when_index(self) -> int:
        """Place of `when` in a row."""
        return SOURCES.index(self.when)

    @cached_property
    def steps(self) -> tuple[tuple[str, int, int], ...]:
        """(how, place of the source in a row, limit) of each field, by which it grows."""
        return tuple((f.how, f.index, f.limit) for f in self.fields)


AMOUNTS = Kind(
    "amounts",
    (Field("count", "one", "I"), Field("sum", "hundredths", "q"), Field("squares", "squares", "q")),
)
LABELS = Kind(
    "labels",
    (Field("known", "one", "I"), Field("frauds", "one", "I"), Field("sum", "hundredths", "q")),
    when="",
)
LARGEST = Kind("largest", (Field("largest", "hundredths", "I", "max"),))
NEAR = Kind("near", (Field("count", "one", "I"),), when="near")
POSITIONS = Kind(
    "positions",
    (Field("count", "one", "I"), Field("lat", "lat", "q"), Field("lon", "lon", "q")),
    when="located",
)
CATEGORIES = Kind(
    "categories", (Field("counts", "bucket", "H", "tally", CATEGORY_SLOTS),), when="bucket"
)


@dataclass(frozen=True, slots=True)
class Ring:
    """`slots` tiles of `tile_ms`, from byte `offset` of the state, tile `first` of its group."""

    kind: Kind
    tile_ms: int
    slots: int
    offset: int
    first: int


@dataclass(frozen=True)
class Group:
    """Rings of one kind, side by side: one for each tile width of `windows`, as long as its
    longest window needs.

    Attributes:
        name: unique in the entity.
        windows: windows read from them, shortest first.
        offset: first byte in the state.
    """

    name: str
    kind: Kind
    windows: tuple[Window, ...]
    offset: int = 0

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """One ring for each tile width."""
        slots: dict[int, int] = {}
        for window in self.windows:
            slots[window.tile_ms] = max(slots.get(window.tile_ms, 0), window.tiles)
        rings, first = [], 0
        for tile_ms, n in slots.items():
            offset = self.offset + first * self.kind.struct.size
            rings.append(Ring(self.kind, tile_ms, n, offset, first))
            first += n
        return tuple(rings)

    @cached_property
    def n_tiles(self) -> int:
        """Tiles of all rings together."""
        return sum(ring.slots for ring in self.rings)

    @property
    def size(self) -> int:
        """Bytes of all rings together."""
        return self.n_tiles * self.kind.struct.size

    def ring_of(self, window: Window) -> int:
        """Index of the ring that holds the tiles of `window`."""
        return next(i for i, r in enumerate(self.rings) if r.tile_ms == window.tile_ms)


@dataclass(frozen=True, slots=True)
class Table:
    """The `capacity` most recent distinct values of `column`, newest first, from byte `offset` of
    the state, entry `first` of all tables. An entry is id hash (u32) and last seen second (u32):
    read as one little-endian u64 it is its own sort key."""

    partner: str
    column: str
    capacity: int
    offset: int
    first: int
