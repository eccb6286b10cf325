"""Which entities have state, and how the bytes of that state are laid out.

The state of one entity is one value of fixed size, little-endian:

    last_ms   int64                            time of the newest event, 0 if none
    tiles     T x (epoch u32, count u32, sum i64, squares i64)   rings, one after the other
    partners  P x (id hash u32, last seen second u32)            tables, one after the other

A ring is a circular buffer: tile number e lives in slot e mod slots, and holds the largest e that
was ever put there. A table keeps the most recent distinct partners, newest first. `sum` is in
hundredths of a currency unit, `squares` in hundredths of a squared unit, each event's rounded to an
integer: integers below 2**53 add exactly in Python, numpy and Lua alike, and saturate there, so the
order in which events arrive changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.windows import D7, D30, D60, H1, H24, SECOND_MS, Window

TILE_BYTES = 24
PARTNER_BYTES = 8
HEADER_BYTES = 8
SATURATION = 2**53

TILE_DTYPE = np.dtype([("epoch", "<u4"), ("count", "<u4"), ("sum", "<i8"), ("squares", "<i8")])
PARTNER_DTYPE = np.dtype([("id", "<u4"), ("last_s", "<u4")])


@dataclass(frozen=True, slots=True)
class Ring:
    """`slots` tiles of `tile_ms`, from byte `offset` of the state, tile `first` of all tiles."""

    tile_ms: int
    slots: int
    offset: int
    first: int


@dataclass(frozen=True, slots=True)
class Table:
    """The `capacity` most recent distinct values of `column`, from byte `offset` of the state."""

    partner: str
    column: str
    capacity: int
    offset: int
    first: int


@dataclass(frozen=True)
class Entity:
    """An entity with state.

    Attributes:
        name: prefix of its features.
        column: the transaction's column that names it.
        windows: the windows its features look back over, shortest first.
        partners: (partner, column, capacity) of each table of distinct partners; a count of
            distinct partners saturates at the capacity.
    """

    name: str
    column: str
    windows: tuple[Window, ...]
    partners: tuple[tuple[str, str, int], ...] = ()

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """One ring for each tile width, as long as its longest window needs."""
        slots: dict[int, int] = {}
        for window in self.windows:
            slots[window.tile_ms] = max(slots.get(window.tile_ms, 0), window.tiles)
        rings, first = [], 0
        for tile_ms, n in slots.items():
            rings.append(Ring(tile_ms, n, HEADER_BYTES + first * TILE_BYTES, first))
            first += n
        return tuple(rings)

    @cached_property
    def n_tiles(self) -> int:
        """Tiles of all rings together."""
        return sum(ring.slots for ring in self.rings)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """One table for each kind of partner."""
        tables, first = [], 0
        start = HEADER_BYTES + self.n_tiles * TILE_BYTES
        for partner, column, capacity in self.partners:
            tables.append(Table(partner, column, capacity, start + first * PARTNER_BYTES, first))
            first += capacity
        return tuple(tables)

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The whole state as a numpy record."""
        n_partners = sum(table.capacity for table in self.tables)
        return np.dtype(
            [
                ("last_ms", "<i8"),
                ("tiles", TILE_DTYPE, (self.n_tiles,)),
                ("partners", PARTNER_DTYPE, (n_partners,)),
            ]
        )

    @cached_property
    def tile_ms(self) -> NDArray[np.int64]:
        """int64[n_tiles]: width of each tile."""
        return np.repeat([r.tile_ms for r in self.rings], [r.slots for r in self.rings])

    @cached_property
    def tile_slots(self) -> NDArray[np.int64]:
        """int64[n_tiles]: length of the ring that each tile is in."""
        return np.repeat([r.slots for r in self.rings], [r.slots for r in self.rings])

    @cached_property
    def table_of_entry(self) -> NDArray[np.int64]:
        """int64[n_partners]: index of the table that each partner entry is in."""
        return np.repeat(np.arange(len(self.tables)), [t.capacity for t in self.tables])

    @cached_property
    def spans_s(self) -> NDArray[np.int64]:
        """int64[n_windows]: span of each window in seconds."""
        return np.array([w.span_ms // SECOND_MS for w in self.windows], dtype=np.int64)

    @property
    def size(self) -> int:
        """Bytes of one state."""
        return self.dtype.itemsize

    def ring_of(self, window: Window) -> Ring:
        """The ring that holds the tiles of `window`."""
        return next(ring for ring in self.rings if ring.tile_ms == window.tile_ms)


CUSTOMER = Entity(
    "customer",
    "customer_id",
    (H1, H24, D7, D30, D60),
    (
        ("merchants", "merchant_id", 64),
        ("devices", "device_id", 16),
        ("counterparties", "counterparty_id", 32),
    ),
)
MERCHANT = Entity("merchant", "merchant_id", (H1, H24, D7, D30))
DEVICE = Entity("device", "device_id", (H24, D7, D30), (("customers", "customer_id", 16),))
COUNTERPARTY = Entity(
    "counterparty", "counterparty_id", (H24, D7, D30), (("customers", "customer_id", 32),)
)

ENTITIES = (CUSTOMER, MERCHANT, DEVICE, COUNTERPARTY)
