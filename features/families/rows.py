"""The columns of a micro-batch that several families read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64, Int64, TransactionBatch


@dataclass(frozen=True, slots=True)
class Rows:
    """n transactions.

    Attributes:
        batch: the transactions themselves.
        at_ms: int64[n]: time, ms since the epoch.
        hundredths: int64[n]: amounts in hundredths of a currency unit.
        units: float64[n]: amounts in currency units.
    """

    batch: TransactionBatch
    at_ms: Int64
    hundredths: Int64
    units: Float64

    def __len__(self) -> int:
        return len(self.at_ms)

    @classmethod
    def of(cls, batch: TransactionBatch) -> Rows:
        hundredths = batch.amount_hundredths()
        return cls(
            batch, np.array(batch.timestamp_ms, dtype=np.int64), hundredths, hundredths / 100.0
        )
