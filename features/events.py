"""A micro-batch as the stores see it: who is touched by each row, when, with what, by whom."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.entities import ID_COLUMNS, KEPT, ROLES, Entity, Role
from features.rings import CATEGORY_SLOTS, LAT_SHIFT, LON_SHIFT, SATURATION, SOURCES
from features.state import partner_hash
from features.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from fraud.batch import Int64, TransactionBatch

Key = tuple[str, str]
"""(tenant, id) of an entity or of a transaction."""


@lru_cache(maxsize=4096)
def category_slot(category: str) -> int:
    """Which of an entity's category counters a merchant category is counted in, from 0."""
    return zlib.crc32(category.encode()) % CATEGORY_SLOTS


@dataclass(frozen=True, slots=True)
class Events:
    """n rows. `ids[role][i]` is None where row i touches no entity in that role;
    `hashes[column][i]` is 0 where it names none; `values` has a column for each of
    `rings.SOURCES`."""

    tenant: list[str]
    transaction: list[Key]
    values: dict[str, list[int]]
    ids: dict[str, list[str | None]]
    hashes: dict[str, list[int]]

    def __len__(self) -> int:
        return len(self.transaction)

    @property
    def at_ms(self) -> list[int]:
        """When, ms since the epoch."""
        return self.values["at_ms"]

    @property
    def hundredths(self) -> list[int]:
        """Amounts in hundredths of a currency unit."""
        return self.values["hundredths"]

    @classmethod
    def of(cls, batch: TransactionBatch) -> Events:
        return cls(
            tenant=batch.tenant,
            transaction=list(zip(batch.tenant, batch.transaction_id, strict=True)),
            values=_values(batch),
            ids={role.name: _ids(batch, role) for role in ROLES},
            hashes={
                column: [partner_hash(v) for v in getattr(batch, column)] for column in ID_COLUMNS
            },
        )

    def take(self, rows: Sequence[int]) -> Events:
        """The rows at these places, in this order."""

        def some(column: Sequence[Any]) -> list[Any]:
            return [column[i] for i in rows]

        return Events(
            some(self.tenant),
            some(self.transaction),
            *(
                {name: some(column) for name, column in table.items()}
                for table in (self.values, self.ids, self.hashes)
            ),
        )

    def rows(self) -> list[tuple[int, ...]]:
        """What each row says to a ring: a value for each of `rings.SOURCES`."""
        return list(zip(*(self.values[source] for source in SOURCES), strict=True))

    def row(self, i: int) -> tuple[int, ...]:
        """What row i says to a ring."""
        return tuple(self.values[source][i] for source in SOURCES)

    def partners(self, role: Role, i: int) -> list[int]:
        """Hashes of row i that go into the role's tables; 0 for none."""
        return [self.hashes[table.column][i] for table in role.tables]

    def asked(self) -> NDArray[np.uint32]:
        """uint32[n, len(ID_COLUMNS)]: hashes that are looked up in tables of partners."""
        columns = [self.hashes[column] for column in ID_COLUMNS]
        return np.array(columns, dtype=np.uint32).T

    def first_of(self) -> dict[int, int]:
        """Rows that repeat a transaction of an earlier row of this batch -> that earlier row."""
        first: dict[Key, int] = {}
        return {
            i: first[key] for i, key in enumerate(self.transaction) if first.setdefault(key, i) != i
        }


def roles_of(entity: Entity) -> tuple[Role, ...]:
    """The roles in which rows touch an entity."""
    return _ROLES_OF[entity.name]


_ROLES_OF = {e.name: tuple(r for r in ROLES if r.entity.name == e.name) for e in KEPT}


def _ids(batch: TransactionBatch, role: Role) -> list[str | None]:
    ids: list[str | None] = getattr(batch, role.column)
    if not role.transfer:
        return ids
    ends = zip(batch.customer_id, batch.counterparty_id, ids, strict=True)
    return [None if other is None or other == one else own for one, other, own in ends]


def _values(batch: TransactionBatch) -> dict[str, list[int]]:
    amounts = batch.amount_hundredths()
    units = amounts.astype(np.float64)
    # As `state.squares_of`, for all rows at once.
    squares = np.minimum(np.floor(units * units / 100.0 + 0.5), SATURATION).astype(np.int64)
    near = (amounts >= BAND_START_HUNDREDTHS) & (amounts < THRESHOLD_HUNDREDTHS)
    n = len(batch)
    located, lat, lon = _places(batch.latitude, batch.longitude)
    return {
        "at_ms": batch.timestamp_ms,
        "one": [1] * n,
        "hundredths": amounts.tolist(),
        "squares": squares.tolist(),
        "near": near.astype(np.int64).tolist(),
        "located": located.tolist(),
        "lat": lat.tolist(),
        "lon": lon.tolist(),
        "bucket": [0 if c is None else category_slot(c) + 1 for c in batch.merchant_category],
    }


def _places(
    latitude: Sequence[float | None], longitude: Sequence[float | None]
) -> tuple[Int64, Int64, Int64]:
    """int64[n] each: whether there are coordinates, and these as rings add them up."""
    degrees = np.array([latitude, longitude], dtype=np.float64)  # None becomes NaN
    finite = np.isfinite(degrees)
    located = finite[0] & finite[1]
    micro = np.rint(np.where(located, degrees, 0.0) * 1e6)
    shift = np.array([[LAT_SHIFT], [LON_SHIFT]])
    places = np.where(located, np.clip(micro, -shift, shift).astype(np.int64) + shift, 0)
    return located.astype(np.int64), places[0], places[1]
