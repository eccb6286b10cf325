"""A file of payments as batches in the order of time, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.files.source import digest_of, open_source
from data.history.history import LABELLED, History, order_by_known_at
from data.layout.fields import TEXT_FIELDS
from data.layout.layout import Layout, load_layout
from data.load.rejects import Rejects
from data.rows.canonical import STAGED, canonical_rows
from data.rows.identity import resolve_identities
from data.rows.label_join import read_joined_labels
from data.rows.rejections import RejectionReasons, require_readable_columns
from features.state.labels import LabelEvents
from fraud.payment.batch import COLUMNS, Int64, TransactionBatch

ROWS_PER_BATCH = 65_536

# Ids repeat (a customer pays often): one object a distinct value, whatever the number of rows.
_REPEATED = tuple(name for name in TEXT_FIELDS if name != "transaction_id")

_ACCOUNTS = ("customer_id", "counterparty_id")

Progress = Callable[[int, float], None]
"""ResolvedRows rows read so far and the part of the file behind us, in [0, 1]."""


@dataclass(frozen=True)
class PaymentFile:
    """The sound rows of a file, at about 150 bytes a row.

    Attributes:
        table: n rows in the order of the file, columns `canonical.STAGED`, times timestamp[ms],
            repeated texts dictionary-encoded.
        order: int64[n]: their order by (time, transaction id).
        rows: rows of the file that were looked at.
        bad: rows that were refused; `rejects` lists them, None if there are none.
        repeated: rows left out because the same payment came before.
        reused: rows whose id another payment had before, refused or kept apart as the layout says.
        labelled: the file has the layout's label.
        reasons: refused rows by field and reason, as `RejectionReasons.as_list` gives them.
        labels_left_out: labels that could not be taken with their sound row: why -> how many.
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
        """All payments in order, `rows` at a time."""
        for start in range(0, len(self), rows):
            yield self._batch(tenant, self.table.take(self.order[start : start + rows]))

    def history(self, tenant: str = "default") -> History:
        """All payments in order with their labels, at about 700 bytes a row."""
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        for batch in self.batches(tenant):
            for name, values in columns.items():
                values.extend(getattr(batch, name))
        return History(TransactionBatch(**columns), self.label, self.known_at_ms)

    def label_events(
        self, tenant: str = "default", rows: int = ROWS_PER_BATCH
    ) -> Iterator[LabelEvents]:
        """All labels in the order in which they became known, `rows` at a time.

        What a label is about is left out where no later payment would ask for it.
        """
        places = order_by_known_at(self.timestamp_ms, self.label, self.known_at_ms)
        for start in range(0, len(places), rows):
            part = places[start : start + rows]
            yield LabelEvents(
                tenant=[tenant] * len(part),
                known_at_ms=self.known_at_ms[part].tolist(),
                fraud=(self.label[part] == 1).tolist(),
                hundredths=self.hundredths[part].tolist(),
                ids={name: self._asked_for(f"{name}_id", part) for name in LABELLED},
                previous=[None] * len(part),
            )

    def leaving(self, start: int, stop: int) -> dict[str, list[str]]:
        """Entity (`features.state.entities.KEPT`) -> ids that payments start .. stop-1 of the order
        name and no later one does."""
        found = {name: self._last_named(f"{name}_id", start, stop) for name in LABELLED}
        places = np.arange(start, stop)
        accounts: list[str | None] = []
        for column, last in zip(_ACCOUNTS, self._last_of_accounts, strict=True):
            accounts += self.texts(column, places[last[start:stop] == places])
        found["account"] = [one for one in accounts if one is not None]
        return found

    def _last_named(self, column: str, start: int, stop: int) -> list[str]:
        places = np.arange(start, stop)
        leaving = self.texts(column, places[self._last[column][start:stop] == places])
        return [one for one in leaving if one is not None]

    def _asked_for(self, column: str, places: Int64) -> list[str | None]:
        """Ids that labelled payments name, None where no payment after the label does."""
        last_ms = self.timestamp_ms[self._last[column][places]]
        late = (self.known_at_ms[places] > last_ms).tolist()
        ids = self.texts(column, places)
        return [None if gone else one for one, gone in zip(ids, late, strict=True)]

    @cached_property
    def _last(self) -> dict[str, Int64]:
        """Column -> int64[n]: the last payment of the order that names what each one names."""
        found = {}
        for name in LABELLED:
            codes = self._codes(f"{name}_id")
            found[f"{name}_id"] = _newest(codes, int(codes.max(initial=-1)) + 1)[codes]
        return found

    @cached_property
    def _last_of_accounts(self) -> tuple[Int64, Int64]:
        """The same of payers and of payees, which are accounts both; -1 without a counterparty."""
        payer, payee = (self._codes(column) for column in _ACCOUNTS)
        names = [_dictionary(self.table[column]) for column in _ACCOUNTS]
        shared = pa.concat_arrays(names).dictionary_encode().indices.to_numpy().astype(np.int64)
        transfer = payee >= 0
        paid = np.where(transfer, shared[payer], -1)
        received = np.where(transfer, shared[payee + len(names[0])], -1)
        newest = np.maximum(_newest(paid, len(shared)), _newest(received, len(shared)))
        return newest[paid], newest[received]

    def _codes(self, column: str) -> Int64:
        """int64[n], in order: place of each value in the column's dictionary, -1 for none."""
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
        """int64[n], in order: from when on the label is known, -1 where there is none."""
        column = self.table["known_at"].cast(pa.int64()).fill_null(-1)
        values: Int64 = column.to_numpy()[self.order]
        return np.where(self.label >= 0, values, -1)

    @cached_property
    def timestamp_ms(self) -> Int64:
        """int64[n], rising: when each payment happened."""
        values: Int64 = self.table["occurred_at"].cast(pa.int64()).to_numpy()[self.order]
        return values

    @cached_property
    def hundredths(self) -> Int64:
        """int64[n], in order: amounts in hundredths of a currency unit."""
        values: Int64 = self.table["amount_hundredths"].to_numpy()[self.order]
        return values

    def texts(self, name: str, places: Int64) -> list[str | None]:
        """Field `name` of the payments at `places` of the order."""
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


def read_payments(
    path: Path,
    layout: str | Layout,
    *,
    limit: int | None = None,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> PaymentFile:
    """Read, map and check a file as `quorum load` does.

    A label column that the file lacks is done without. A row that repeats a payment is left out,
    and one that bears the id of another payment is refused or kept apart, as `quorum load` does
    (`identity.IdentityResolver`).

    Args:
        layout: name of a layout, path of one, or a layout.
        limit: stop after this many rows of the file.
        rejects: CSV file of the refused rows; None: they are counted only.

    Raises:
        LayoutInvalid: the layout is wrong, or the file lacks one of its columns.
        SourceUnreadable: the file is missing, empty or damaged.
    """
    plan = layout if isinstance(layout, Layout) else load_layout(layout)
    source = open_source(path, plan.dialect)
    plan = _fitted(plan, frozenset(source.names()))
    tag = plan.source_id(digest_of(path))[:8]
    joined = read_joined_labels(path, plan)
    kept = None if rejects is None else Rejects(rejects)
    if kept is not None:
        kept.resume(0)
    parts: list[pa.Table] = []
    places: list[tuple[Int64, Int64]] = []
    reasons, left_out = RejectionReasons(), Counter[str]()
    rows = bad = 0
    for chunk in source.chunks(plan.columns(), 0, limit):
        found = canonical_rows(chunk, plan, tag, joined)
        if not parts:
            require_readable_columns(chunk, found, plan)
        if kept is not None:
            kept.add(found.bad)
        reasons.add(found.bad)
        left_out.update(found.left_out)
        parts.append(_encoded(found.table))
        places.append((found.rows, found.lines))
        rows, bad = chunk.rows_done, bad + found.n_bad
        if progress is not None:
            progress(rows, chunk.share)
    table = pa.concat_tables(parts).unify_dictionaries() if parts else _nothing()
    table, told = resolve_identities(table, places, plan.repeated)
    if kept is not None:
        kept.add(told.bad)
    reasons.add(told.bad)
    bad += len(told.bad)
    order = _order(table)
    listed = kept.path if kept is not None and bad else None
    repeated = int(np.count_nonzero(~told.is_new))
    reused = sum(map(len, told.reused.values()))
    return PaymentFile(
        table,
        order,
        rows,
        bad,
        repeated,
        reused,
        listed,
        plan.label is not None,
        reasons.as_list(),
        left_out,
    )


def _fitted(layout: Layout, names: frozenset[str]) -> Layout:
    """The layout of a file with the columns `names`; only the label may be missing of a layout
    that says nothing else."""
    bare = replace(layout, label=None)
    label_columns = layout.columns() - bare.columns()
    kept = layout if label_columns <= names else bare
    return kept.without(kept.columns() - names, sorted(names))


def _encoded(table: pa.Table) -> pa.Table:
    for name in _REPEATED:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def _nothing() -> pa.Table:
    """No rows, with the types of `canonical`."""
    kinds = dict.fromkeys(STAGED, pa.int64())
    kinds |= dict.fromkeys(TEXT_FIELDS, pa.string())
    kinds |= dict.fromkeys(_REPEATED, pa.dictionary(pa.int32(), pa.string()))
    kinds |= dict.fromkeys(("occurred_at", "known_at"), pa.timestamp("ms", tz="UTC"))
    kinds |= dict.fromkeys(("latitude", "longitude"), pa.float64()) | {"is_fraud": pa.bool_()}
    return pa.schema([(name, kinds[name]) for name in STAGED]).empty_table()


def _order(table: pa.Table) -> Int64:
    """Order by (time, transaction id)."""
    keys = [("occurred_at", "ascending"), ("transaction_id", "ascending")]
    order: Int64 = pc.sort_indices(table, sort_keys=keys).to_numpy().astype(np.int64)
    return order


def _newest(codes: Int64, n_codes: int) -> Int64:
    """int64[n_codes + 1]: the last place of each code in `codes`; -1, in the end, for code -1."""
    newest = np.full(n_codes + 1, -1, np.int64)
    newest[codes] = np.arange(len(codes))  # of several values the last one stays
    newest[-1] = -1
    return newest


def _dictionary(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().dictionary


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    """Values of a text column; those of a dictionary are shared objects."""
    if not pa.types.is_dictionary(column.type):
        plain: list[str | None] = column.to_pylist()
        return plain
    whole = column.combine_chunks()
    if len(whole.dictionary) > len(whole):  # hardly anything repeats: take what is named alone
        few: list[str | None] = whole.dictionary_decode().to_pylist()
        return few
    values = np.array([*whole.dictionary.to_pylist(), None], dtype=object)
    codes = whole.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
    found: list[str | None] = values[codes].tolist()
    return found
