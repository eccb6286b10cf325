"""A micro-batch as the stores see it: who is touched by each row, when, with how much, by whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.entities import ENTITIES, Entity
from features.tiles import partner_hash, squares_of
from fraud.batch import TransactionBatch

_ID_COLUMNS = ("customer_id", "merchant_id", "device_id", "counterparty_id")

Key = tuple[str, str]
"""(tenant, id) of an entity or of a transaction."""


@dataclass(frozen=True, slots=True)
class Events:
    """n rows. `ids[entity][i]` is None where row i names no such entity; `hashes[column][i]` is
    0 there."""

    tenant: list[str]
    transaction: list[Key]
    at_ms: list[int]
    hundredths: list[int]
    squares: list[int]
    ids: dict[str, list[str | None]]
    hashes: dict[str, list[int]]

    def __len__(self) -> int:
        return len(self.transaction)

    @classmethod
    def of(cls, batch: TransactionBatch) -> Events:
        hundredths = batch.amount_hundredths().tolist()
        return cls(
            tenant=batch.tenant,
            transaction=list(zip(batch.tenant, batch.transaction_id, strict=True)),
            at_ms=batch.timestamp_ms,
            hundredths=hundredths,
            squares=[squares_of(amount) for amount in hundredths],
            ids={entity.name: getattr(batch, entity.column) for entity in ENTITIES},
            hashes={
                column: [partner_hash(v) for v in getattr(batch, column)] for column in _ID_COLUMNS
            },
        )

    def partners(self, entity: Entity, i: int) -> list[int]:
        """Partner hashes of row i, one for each of the entity's tables; 0 for none."""
        return [self.hashes[table.column][i] for table in entity.tables]

    def partner_columns(self, entity: Entity) -> dict[str, NDArray[np.uint32]]:
        """partner -> uint32[n]."""
        return {
            table.partner: np.array(self.hashes[table.column], dtype=np.uint32)
            for table in entity.tables
        }

    def first_of(self) -> dict[int, int]:
        """Rows that repeat a transaction of an earlier row of this batch -> that earlier row."""
        first: dict[Key, int] = {}
        return {
            i: first[key] for i, key in enumerate(self.transaction) if first.setdefault(key, i) != i
        }
