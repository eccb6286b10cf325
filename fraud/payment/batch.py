"""The micro-batch: the unit of flow. One request is a batch of one row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from itertools import chain
from operator import attrgetter
from pickle import PickleBuffer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.payment.currency import hundredths
from fraud.payment.metadata import text_of
from fraud.payment.transaction import Transaction

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


# Batches cross processes at every hop. They are not frozen, as that costs a call a field each time
# one is made; nobody changes one all the same.
@dataclass(slots=True)
class TransactionBatch:
    """n transactions as columns, n >= 0. `tenant[i]` owns row i; None means unknown.

    Columns are plain lists: they pickle fast and hold what a JSON body held.

    Attributes:
        metadata: the caller's own notes on each payment as the JSON text of an object, None where
            there are none; None where no row has any. Kept with the decision, never a feature.
        stages: what each row has spent before it came here, as members of a JSON object (stage ->
            milliseconds), "" where nobody measured; None where nobody measured any row.
    """

    tenant: list[str]
    transaction_id: list[str]
    customer_id: list[str]
    timestamp_ms: list[int]
    amount_minor: list[int]
    currency: list[str]
    type: list[str]
    merchant_id: list[str | None]
    merchant_category: list[str | None]
    counterparty_id: list[str | None]
    device_id: list[str | None]
    ip_address: list[str | None]
    country: list[str | None]
    channel: list[str | None]
    latitude: list[float | None]
    longitude: list[float | None]
    metadata: list[str | None] | None = None
    stages: list[str] | None = None

    def __len__(self) -> int:
        return len(self.transaction_id)

    @classmethod
    def of(cls, tenant: str, rows: Iterable[Transaction]) -> TransactionBatch:
        """Columns of `rows`, all of one tenant."""
        rows = list(rows)
        columns = {name: [getattr(r, name) for r in rows] for name in TRANSACTION_COLUMNS}
        notes = [None if r.metadata is None else text_of(r.metadata) for r in rows]
        metadata = notes if any(note is not None for note in notes) else None
        return cls(tenant=[tenant] * len(rows), **columns, metadata=metadata)

    def row(self, i: int) -> Transaction:
        """Row i as a Transaction (the tenant is left behind)."""
        columns = {name: getattr(self, name)[i] for name in TRANSACTION_COLUMNS}
        note = None if self.metadata is None else self.metadata[i]
        return Transaction(**columns, metadata=None if note is None else json.loads(note))

    def take(self, indices: Sequence[int]) -> TransactionBatch:
        """The rows at `indices`, in that order."""
        return TransactionBatch(*(c and [c[i] for i in indices] for c in parts_of(self)))

    def slice(self, start: int, stop: int) -> TransactionBatch:
        """Rows start .. stop-1."""
        return TransactionBatch(*(c and c[start:stop] for c in parts_of(self)))

    @classmethod
    def concat(cls, batches: Sequence[TransactionBatch]) -> TransactionBatch:
        """All rows of `batches`, in order."""
        if not batches:
            return cls.of("", ())
        parts = zip(*map(columns_of, batches), strict=True)
        columns = map(list, map(chain.from_iterable, parts))
        whole = cls(*columns)
        if any(b.metadata is not None for b in batches):
            whole.metadata = [note for b in batches for note in b.metadata or [None] * len(b)]
        if any(b.stages is not None for b in batches):
            whole.stages = [text for b in batches for text in b.stages or [""] * len(b)]
        return whole

    def bare(self) -> TransactionBatch:
        """The same rows without what is only kept with their decisions."""
        return TransactionBatch(*columns_of(self))

    def amount_hundredths(self) -> Int64:
        """int64[n]: amounts in hundredths of a currency unit, comparable across currencies'
        exponents (a yen is 100 hundredths, a fils of a dinar is rounded half up)."""
        return np.array(
            [hundredths(a, c) for a, c in zip(self.amount_minor, self.currency, strict=True)],
            dtype=np.int64,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return TransactionBatch, parts_of(self)


COLUMNS = tuple(f.name for f in fields(TransactionBatch) if f.default is MISSING)
TRANSACTION_COLUMNS = COLUMNS[1:]

columns_of: Callable[[TransactionBatch], tuple[list[Any], ...]] = attrgetter(*COLUMNS)
"""All columns of a batch, in the order of `COLUMNS`."""

parts_of: Callable[[TransactionBatch], tuple[Any, ...]] = attrgetter(
    *(f.name for f in fields(TransactionBatch))
)
"""What a batch is made of: its columns, then what may be None."""


@dataclass(slots=True)
class FeatureBatch:
    """What models see.

    Attributes:
        values: float32[n, n_features], C-contiguous; NaN where unknown.
        schema_id: which features these are, in which order.
        age_ms: int64[n], >= 0: how long before the transaction its customer's state was last
            updated; -1 where the customer has no history or the state could not be read.
        degraded: of each row, why its values are poorer than they should be, () if they are not.
            Left out: nothing is.
        stage_ms: where the time of the fetch went: stage -> milliseconds; {} if nobody measured.
        pending: transactions, as they were numbered in what was asked, that are not among the n:
            their history is on its way.
    """

    values: Float32
    schema_id: str
    age_ms: Int64
    degraded: list[tuple[str, ...]] = field(default_factory=list)
    stage_ms: dict[str, float] = field(default_factory=dict)
    pending: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.degraded:
            self.degraded = [()] * len(self)

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def parts(self) -> tuple[Any, ...]:
        """Plain values that pickle fast (protocol 5); `feature_batch` inverts it."""
        return (
            packed(self.values),
            self.values.shape,
            self.schema_id,
            packed(self.age_ms),
            self.degraded,
            self.stage_ms,
            self.pending,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return feature_batch, self.parts()


def packed(array: NDArray[Any]) -> PickleBuffer:
    """An array's bytes, pickled without a copy (protocol 5). `numpy.frombuffer` reads them."""
    return PickleBuffer(np.ascontiguousarray(array).data)


def feature_batch(
    values: bytes,
    shape: tuple[int, int],
    schema_id: str,
    age_ms: bytes,
    degraded: list[tuple[str, ...]],
    stage_ms: dict[str, float],
    pending: tuple[int, ...],
) -> FeatureBatch:
    """The batch of these `parts`."""
    return FeatureBatch(
        np.frombuffer(values, np.float32).reshape(shape),
        schema_id,
        np.frombuffer(age_ms, np.int64),
        degraded,
        stage_ms,
        pending,
    )
