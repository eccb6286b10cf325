"""The payments of a file as batches in the order of time, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.history.history import LABELLED, History, order_by_known_at
from data.layout.fields import TEXT_FIELDS
from features.state.labels import LabelEvents
from fraud.payment.batch import COLUMNS, Int64, TransactionBatch

ROWS_PER_BATCH = 65_536

_ACCOUNTS = ("customer_id", "counterparty_id")


@dataclass(frozen=True)
class PaymentFile:
    """The sound rows of a file, at about 150 bytes a row.

    Attributes:
        table: n rows in the order of the file, columns `canonical.STAGED`, times timestamp[ms],
            repeated texts dictionary-encoded.
        order: int64[n]: their order by (time, transaction id).
        rows: rows of the file that were read.
        bad: rows that were rejected; `rejects` lists them, None if there are none.
        repeated: rows left out because they repeat an earlier payment.
        reused: rows whose id belongs to another payment, rejected or kept apart as the layout says.
        labelled: the file has the layout's label.
        reasons: rejected rows by field and reason: see `RejectionReasons.as_list`.
        labels_left_out: reason -> labels that were left out of sound rows.
    """

    table: pa.Table
    order: Int64
    rows: int
    bad: int
    repeated: int
    reused: int
    rejects: Path | None
    labelled: bool
    reasons: list[dict[str, Any]]
    labels_left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.order)

    def batches(
        self, tenant: str = "default", rows: int = ROWS_PER_BATCH
    ) -> Iterator[TransactionBatch]:
        """Yield all payments in order, `rows` at a time."""
        for start in range(0, len(self), rows):
            yield self._batch(tenant, self.table.take(self.order[start : start + rows]))

    def history(self, tenant: str = "default") -> History:
        """Return all payments in order with their labels, at about 700 bytes a row."""
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for batch in self.batches(tenant):
            for name, values in columns.items():
                values.extend(getattr(batch, name))
        return History(TransactionBatch(**columns), self.label, self.known_at_ms)

    def label_events(
        self, tenant: str = "default", rows: int = ROWS_PER_BATCH
    ) -> Iterator[LabelEvents]:
        """Yield all labels in the order in which they became known, `rows` at a time.

        An id of a label's payment is left out if no payment after the label has it.
        """
        places = order_by_known_at(self.timestamp_ms, self.label, self.known_at_ms)
        for start in range(0, len(places), rows):
            part = places[start : start + rows]
            yield LabelEvents(
                tenant=[tenant] * len(part),
                known_at_ms=self.known_at_ms[part].tolist(),
                fraud=(self.label[part] == 1).tolist(),
                hundredths=self.hundredths[part].tolist(),
                ids={name: self._used_later(f"{name}_id", part) for name in LABELLED},
                previous=[None] * len(part),
            )

    def last_seen(self, start: int, stop: int) -> dict[str, list[str]]:
        """Return, by entity (`features.state.entities.KEPT`), the ids whose last payment is one of
        start .. stop-1 of the order."""
        found = {name: self._last_seen(f"{name}_id", start, stop) for name in LABELLED}
        places = np.arange(start, stop)
        accounts: list[str | None] = []
        for column, last in zip(_ACCOUNTS, self._last_of_accounts, strict=True):
            accounts += self.texts(column, places[last[start:stop] == places])
        found["account"] = [one for one in accounts if one is not None]
        return found

    def _last_seen(self, column: str, start: int, stop: int) -> list[str]:
        places = np.arange(start, stop)
        ids = self.texts(column, places[self._last[column][start:stop] == places])
        return [one for one in ids if one is not None]

    def _used_later(self, column: str, places: Int64) -> list[str | None]:
        """The ids of labelled payments, None where no payment after the label has the id."""
        last_ms = self.timestamp_ms[self._last[column][places]]
        late = (self.known_at_ms[places] > last_ms).tolist()
        ids = self.texts(column, places)
        return [None if gone else one for one, gone in zip(ids, late, strict=True)]

    @cached_property
    def _last(self) -> dict[str, Int64]:
        """Column -> int64[n]: the last payment of the order that has the same id as each one."""
        found = {}
        for name in LABELLED:
            codes = self._codes(f"{name}_id")
            found[f"{name}_id"] = _newest(codes, int(codes.max(initial=-1)) + 1)[codes]
        return found

    @cached_property
    def _last_of_accounts(self) -> tuple[Int64, Int64]:
        """The same for payers and payees, which are both accounts; -1 without a counterparty."""
        payer, payee = (self._codes(column) for column in _ACCOUNTS)
        names = [_dictionary(self.table[column]) for column in _ACCOUNTS]
        shared = pa.concat_arrays(names).dictionary_encode().indices.to_numpy().astype(np.int64)
        transfer = payee >= 0
        paid = np.where(transfer, shared[payer], -1)
        received = np.where(transfer, shared[payee + len(names[0])], -1)
        newest = np.maximum(_newest(paid, len(shared)), _newest(received, len(shared)))
        return newest[paid], newest[received]

    def _codes(self, column: str) -> Int64:
        """int64[n], in order: index of each value in the column's dictionary, -1 for null."""
        whole = self.table[column].combine_chunks()
        codes: Int64 = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes[self.order]

    @cached_property
    def label(self) -> NDArray[np.int8]:
        """int8[n], in order: 1 fraud, 0 genuine, -1 unknown."""
        column = self.table["is_fraud"].cast(pa.int8()).fill_null(-1)
        values: NDArray[np.int8] = column.to_numpy()[self.order]
        return values

    @cached_property
    def known_at_ms(self) -> Int64:
        """int64[n], in order: when the label became known, -1 where there is none."""
        column = self.table["known_at"].cast(pa.int64()).fill_null(-1)
        values: Int64 = column.to_numpy()[self.order]
        return np.where(self.label >= 0, values, -1)

    @cached_property
    def timestamp_ms(self) -> Int64:
        """int64[n], ascending: when each payment happened."""
        values: Int64 = self.table["occurred_at"].cast(pa.int64()).to_numpy()[self.order]
        return values

    @cached_property
    def hundredths(self) -> Int64:
        """int64[n], in order: amounts in hundredths of a currency unit."""
        values: Int64 = self.table["amount_hundredths"].to_numpy()[self.order]
        return values

    def texts(self, name: str, places: Int64) -> list[str | None]:
        """Return the field `name` of the payments at `places` of the order."""
        return _texts(self.table[name].take(pa.array(self.order[places])))

    def _batch(self, tenant: str, part: pa.Table) -> TransactionBatch:
        text = {name: _texts(part[name]) for name in TEXT_FIELDS}
        return TransactionBatch(
            tenant=[tenant] * part.num_rows,
            timestamp_ms=part["occurred_at"].cast(pa.int64()).to_pylist(),
            amount_minor=part["amount_minor"].to_pylist(),
            latitude=part["latitude"].to_pylist(),
            longitude=part["longitude"].to_pylist(),
            **text,  # type: ignore[arg-type]
        )


def _newest(codes: Int64, n_codes: int) -> Int64:
    """int64[n_codes + 1]: the last index of each code in `codes`; -1 at the end, for code -1."""
    newest = np.full(n_codes + 1, -1, np.int64)
    newest[codes] = np.arange(len(codes))  # the last of several values stays
    newest[-1] = -1
    return newest


def _dictionary(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().dictionary


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    """The values of a text column. Equal values of a dictionary are one object."""
    if not pa.types.is_dictionary(column.type):
        plain: list[str | None] = column.to_pylist()
        return plain
    whole = column.combine_chunks()
    if len(whole.dictionary) > len(whole):  # few values repeat: decode only these
        few: list[str | None] = whole.dictionary_decode().to_pylist()
        return few
    values = np.array([*whole.dictionary.to_pylist(), None], dtype=object)
    codes = whole.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
    found: list[str | None] = values[codes].tolist()
    return found
