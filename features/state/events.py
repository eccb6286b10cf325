"""A micro-batch as stores see it: the entities that each row touches, its numbers and partners."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.state.entities import ID_COLUMNS, KEPT, ROLES, Entity, Role
from features.state.rings import CATEGORY_SLOTS, LAT_SHIFT, LON_SHIFT
from features.state.state import partner_hash, squares_of
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from fraud.payment.batch import Int64, TransactionBatch
from fraud.payment.currency import hundredths

Key = tuple[str, str]
"""(tenant, id) of an entity or of a transaction."""


@lru_cache(maxsize=4096)
def category_slot(category: str) -> int:
    """The counter of a merchant category, from 0."""
    return zlib.crc32(category.encode()) % CATEGORY_SLOTS


NUMBERS = ("at_ms", "hundredths", "located", "lat", "lon", "bucket")
"""The numbers of a row, from which `rings.SOURCES` are computed."""


@dataclass(frozen=True, slots=True)
class Events:
    """n rows.

    Attributes:
        tenant: of each row.
        transaction: keys under which rows are remembered.
        numbers: int64[n, len(NUMBERS)]: time (ms since the epoch); amount in hundredths of a
            currency unit; whether there are coordinates; these in micro-degrees from the south pole
            and the date line, 0 without; 1 + the counter of the category, 0 without.
        ids: role -> id of the entity that each row touches in that role, None for none.
        hashes: uint32[n, len(ID_COLUMNS)]: of the row's id in each column, 0 for none.
    """

    tenant: list[str]
    transaction: list[Key]
    numbers: Int64
    ids: dict[str, list[str | None]]
    hashes: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.transaction)

    @classmethod
    def of(cls, batch: TransactionBatch) -> Events:
        hashes = [list(map(partner_hash, getattr(batch, column))) for column in ID_COLUMNS]
        return cls(
            tenant=batch.tenant,
            transaction=list(zip(batch.tenant, batch.transaction_id, strict=True)),
            numbers=_numbers(batch),
            ids={role.name: _ids(batch, role) for role in ROLES},
            hashes=np.ascontiguousarray(np.array(hashes, dtype=np.uint32).T),
        )

    @classmethod
    def none(cls) -> Events:
        """No rows."""
        return cls(
            [],
            [],
            np.empty((0, len(NUMBERS)), dtype=np.int64),
            {role.name: [] for role in ROLES},
            np.empty((0, len(ID_COLUMNS)), dtype=np.uint32),
        )

    @classmethod
    def concat(cls, parts: Sequence[Events]) -> Events:
        """The rows of `parts`, at least one, concatenated."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            [tenant for part in parts for tenant in part.tenant],
            [key for part in parts for key in part.transaction],
            np.concatenate([part.numbers for part in parts]),
            {role.name: [i for part in parts for i in part.ids[role.name]] for role in ROLES},
            np.concatenate([part.hashes for part in parts]),
        )

    @property
    def at_ms(self) -> Int64:
        """int64[n]: time, ms since the epoch."""
        return self.numbers[:, 0]

    @property
    def bucket(self) -> Int64:
        """int64[n]: 1 + the counter of each row's category, 0 for none."""
        return self.numbers[:, 5]

    def take(self, rows: Sequence[int]) -> Events:
        """The rows at these places, in this order."""

        def some(column: Sequence[Any]) -> list[Any]:
            return [column[i] for i in rows]

        return Events(
            some(self.tenant),
            some(self.transaction),
            self.numbers[rows],
            {name: some(column) for name, column in self.ids.items()},
            self.hashes[rows],
        )

    def row(self, i: int) -> tuple[int, ...]:
        """The value of row i for each of `rings.SOURCES`."""
        at_ms, hundredths, located, lat, lon, bucket = self.numbers[i].tolist()
        near = int(BAND_START_HUNDREDTHS <= hundredths < THRESHOLD_HUNDREDTHS)
        return at_ms, 1, hundredths, squares_of(hundredths), near, located, lat, lon, bucket

    def partners(self, role: Role, i: int) -> list[int]:
        """Hashes of row i for each of the role's tables; 0 for none."""
        columns = [ID_COLUMNS.index(table.column) for table in role.tables]
        return [int(self.hashes[i, column]) for column in columns]

    def first_of(self) -> dict[int, int]:
        """Row that repeats the transaction of an earlier row of this batch -> that earlier row."""
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


def _numbers(batch: TransactionBatch) -> Int64:
    # Plain Python: a batch is often one row, for which NumPy's calls take ten times as long.
    columns = (
        batch.timestamp_ms,
        map(hundredths, batch.amount_minor, batch.currency),
        batch.latitude,
        batch.longitude,
        batch.merchant_category,
    )
    rows = [
        (at_ms, amount, *_place(lat, lon), 0 if category is None else category_slot(category) + 1)
        for at_ms, amount, lat, lon, category in zip(*columns, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, len(NUMBERS))


def _place(latitude: float | None, longitude: float | None) -> tuple[int, int, int]:
    """Whether there are coordinates, and the coordinates as rings add them up."""
    if latitude is None or longitude is None or not (isfinite(latitude) and isfinite(longitude)):
        return 0, 0, 0
    return 1, _micro(latitude, LAT_SHIFT), _micro(longitude, LON_SHIFT)


def _micro(degrees: float, shift: int) -> int:
    return min(max(round(degrees * 1e6), -shift), shift) + shift
