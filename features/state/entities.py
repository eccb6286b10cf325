"""The entities with state, the roles in which a row touches them, and the layout of their bytes.

The state of one entity is one record of fixed size, little-endian:

    last_ms   int64              time of the newest event, 0 if none
    stamps    S x int64          the same by role
    position  at_ms int64, lat u32, lon u32    newest payment with coordinates (micro-degrees from
                                 the south pole and the date line), where the entity keeps it
    tiles     rings of each group, one after the other (rings.py)
    partners  P x (id hash u32, last seen second u32)            tables, one after the other

Amounts are in hundredths of a currency unit, squares in hundredths of a squared unit, each event's
rounded to an integer: integers below 2**53 add exactly in Python, NumPy and SQL alike, and saturate
there, so the order in which events arrive changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.state.rings import (
    AMOUNTS,
    CATEGORIES,
    LABELS,
    LARGEST,
    NEAR,
    PARTNER_BYTES,
    POSITIONS,
    Group,
    Ring,
    Table,
)
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from features.state.windows import (
    D7,
    D30,
    D60,
    FLOW_WINDOWS,
    H1,
    H24,
    HABIT_WINDOWS,
    LABEL_WINDOWS,
    LARGEST_WINDOWS,
    NEAR_WINDOWS,
    SECOND_MS,
    Window,
)

HEADER_BYTES = 8
ID_COLUMNS = ("customer_id", "merchant_id", "device_id", "counterparty_id")
"""The columns of a row that name entities or partners of entities."""

POSITION_DTYPE = np.dtype([("at_ms", "<i8"), ("lat", "<u4"), ("lon", "<u4")])


@dataclass(frozen=True)
class Entity:
    """An entity with state.

    Attributes:
        name: prefix of its features, and its key space in a store.
        column: the transaction's column that names it.
        windows: the windows of its amounts, shortest first; () if it keeps none.
        partners: (partner, column, capacity) of each table of distinct partners; distinct counts
            saturate at the capacity.
        others: groups besides amounts; `groups` fills in their offsets.
        stamps: names of the times of the newest events by role.
        located: whether it keeps the newest position.
        partner_windows: the windows of distinct counts; those of the amounts if ().
    """

    name: str
    column: str
    windows: tuple[Window, ...] = ()
    partners: tuple[tuple[str, str, int], ...] = ()
    others: tuple[Group, ...] = ()
    stamps: tuple[str, ...] = ()
    located: bool = False
    partner_windows: tuple[Window, ...] = ()

    @cached_property
    def position_offset(self) -> int:
        """First byte of the newest position."""
        return HEADER_BYTES + 8 * len(self.stamps)

    @cached_property
    def groups(self) -> dict[str, Group]:
        """Its groups of rings by name, in the order of the bytes."""
        offset = self.position_offset + self.located * POSITION_DTYPE.itemsize
        amounts = (Group("amounts", AMOUNTS, self.windows),) if self.windows else ()
        groups = {}
        for declared in (*amounts, *self.others):
            groups[declared.name] = group = replace(declared, offset=offset)
            offset += group.size
        return groups

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """All rings, in the order of the bytes."""
        return tuple(ring for group in self.groups.values() for ring in group.rings)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """One table for each kind of partner."""
        tables, first = [], 0
        start = self.position_offset + self.located * POSITION_DTYPE.itemsize
        start += sum(group.size for group in self.groups.values())
        for partner, column, capacity in self.partners:
            tables.append(Table(partner, column, capacity, start + first * PARTNER_BYTES, first))
            first += capacity
        return tuple(tables)

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The whole state as a NumPy record: `last_ms`, the stamps, `position`, each group by name,
        and `partners`, the entries of all tables as u64."""
        n_partners = sum(table.capacity for table in self.tables)
        position = [("position", POSITION_DTYPE)] if self.located else []
        return np.dtype(
            [
                ("last_ms", "<i8"),
                *((name, "<i8") for name in self.stamps),
                *position,
                *((g.name, g.kind.dtype, (g.n_tiles,)) for g in self.groups.values()),
                ("partners", "<u8", (n_partners,)),
            ]
        )

    @cached_property
    def spans_s(self) -> NDArray[np.int64]:
        """int64[n_windows]: span of each window of distinct counts, in seconds."""
        windows = self.partner_windows or self.windows
        return np.array([w.span_ms // SECOND_MS for w in windows], dtype=np.int64)

    @property
    def size(self) -> int:
        """Bytes of one state."""
        return self.dtype.itemsize


CUSTOMER = Entity(
    "customer",
    "customer_id",
    (H1, H24, D7, D30, D60),
    (
        ("merchants", "merchant_id", 64),
        ("devices", "device_id", 16),
        ("counterparties", "counterparty_id", 32),
    ),
    (
        Group("labels", LABELS, LABEL_WINDOWS),
        Group("largest", LARGEST, LARGEST_WINDOWS),
        Group("near", NEAR, NEAR_WINDOWS),
        Group("positions", POSITIONS, HABIT_WINDOWS),
        Group("categories", CATEGORIES, HABIT_WINDOWS),
    ),
    located=True,
)
MERCHANT = Entity(
    "merchant",
    "merchant_id",
    (H1, H24, D7, D30),
    others=(Group("labels", LABELS, LABEL_WINDOWS),),
)
DEVICE = Entity(
    "device",
    "device_id",
    (H24, D7, D30),
    (("customers", "customer_id", 16),),
    (Group("labels", LABELS, LABEL_WINDOWS),),
)
COUNTERPARTY = Entity(
    "counterparty",
    "counterparty_id",
    (H24, D7, D30),
    (("customers", "customer_id", 32),),
    (Group("labels", LABELS, LABEL_WINDOWS), Group("near", NEAR, NEAR_WINDOWS)),
)
ACCOUNT = Entity(
    "account",
    "customer_id",
    partners=(("payers", "customer_id", 32), ("payees", "counterparty_id", 32)),
    others=(Group("inflow", AMOUNTS, FLOW_WINDOWS), Group("outflow", AMOUNTS, FLOW_WINDOWS)),
    stamps=("in_last_ms", "out_last_ms"),
    partner_windows=FLOW_WINDOWS,
)

ENTITIES = (CUSTOMER, MERCHANT, DEVICE, COUNTERPARTY)
"""Entities that a row names and that labels are learnt for."""

KEPT = (*ENTITIES, ACCOUNT)
"""All entities that a store keeps."""


@dataclass(frozen=True)
class Role:
    """How a row touches an entity.

    Attributes:
        name: key of `Observation.states`.
        entity: the entity.
        column: the row's column that names the entity.
        groups, partners, stamps: the parts of the state that the row is put into.
        partner_column: the row's column that names the partner to look up; None: each table's own
            column.
        transfer: touched only by rows that name a counterparty other than the customer.
    """

    name: str
    entity: Entity
    column: str
    groups: tuple[str, ...]
    partners: tuple[str, ...]
    stamps: tuple[str, ...] = ()
    partner_column: str | None = None
    transfer: bool = False

    @classmethod
    def of(cls, entity: Entity) -> Role:
        """The role of an entity with a single role, which has all parts that take rows."""
        groups = tuple(g.name for g in entity.groups.values() if g.kind.when)
        return cls(
            entity.name, entity, entity.column, groups, tuple(t.partner for t in entity.tables)
        )

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """The rings that rows are put into."""
        return tuple(ring for name in self.groups for ring in self.entity.groups[name].rings)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables that rows are put into."""
        return tuple(t for t in self.entity.tables if t.partner in self.partners)

    @cached_property
    def stamp_offsets(self) -> tuple[int, ...]:
        """First bytes of the times of newest events that this role updates."""
        names = self.entity.stamps
        return (0, *(HEADER_BYTES + 8 * names.index(stamp) for stamp in self.stamps))

    def lookup_column(self, table: Table) -> str:
        """The row's column that names the partner to look up in `table`."""
        return self.partner_column or table.column


ROLES = (
    *(Role.of(entity) for entity in ENTITIES),
    Role(
        "payer",
        ACCOUNT,
        "customer_id",
        ("outflow",),
        ("payees",),
        ("out_last_ms",),
        "counterparty_id",
        transfer=True,
    ),
    Role(
        "payee",
        ACCOUNT,
        "counterparty_id",
        ("inflow",),
        ("payers",),
        ("in_last_ms",),
        "customer_id",
        transfer=True,
    ),
)
"""In the order in which a row touches them."""


def _layout(entity: Entity) -> list[object]:
    return [
        entity.name,
        entity.column,
        list(entity.stamps),
        entity.located,
        [
            [g.name, str(g.kind.dtype), g.kind.when, g.kind.steps, r.tile_ms, r.slots, r.offset]
            for g in entity.groups.values()
            for r in g.rings
        ],
        [[t.partner, t.column, t.capacity, t.offset] for t in entity.tables],
    ]


LAYOUT: list[object] = [
    [_layout(entity) for entity in KEPT],
    [[r.name, r.entity.name, r.column, r.groups, r.partners, r.transfer] for r in ROLES],
    [BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS],
]
"""Everything that determines the bytes and their meaning, ready for JSON."""

LAYOUT_ID = hashlib.sha256(json.dumps(LAYOUT, sort_keys=True).encode()).hexdigest()[:12]
"""Identifies the layout of state: states of another layout are never read."""
