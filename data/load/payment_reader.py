"""Reads a file of payments without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.files.source import BadRow, digest_of, open_source
from data.layout.fields import TEXT_FIELDS
from data.layout.layout import Layout, load_layout
from data.load.payment_file import PaymentFile
from data.load.rejects import Rejects
from data.rows.canonical import STAGED, canonical_rows
from data.rows.identity import ResolvedRows, resolve_identities
from data.rows.label_join import read_joined_labels
from data.rows.rejections import RejectionReasons, require_readable_columns
from fraud.payment.batch import Int64

# Ids repeat, since customers pay often: each distinct value is one object, however many rows.
_REPEATED = tuple(name for name in TEXT_FIELDS if name != "transaction_id")

Progress = Callable[[int, float], None]
"""Called with the rows read so far and the share of the file read, in [0, 1]."""


def read_payments(
    path: Path,
    layout: str | Layout,
    *,
    limit: int | None = None,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> PaymentFile:
    """Read, map and check a file as `quorum load` does.

    The file may lack the label column. A row that repeats a payment is left out. A row whose id
    belongs to another payment is rejected or kept apart (`identity.IdentityResolver`).

    Args:
        layout: name of a layout, path of one, or a layout.
        limit: stop after this many rows of the file.
        rejects: CSV file of the rejected rows; None: they are counted only.

    Raises:
        LayoutInvalid: the layout is wrong, or the file lacks one of its columns.
        SourceUnreadable: the file is missing, empty or damaged.
    """
    layout = layout if isinstance(layout, Layout) else load_layout(layout)
    source = open_source(path, layout.dialect)
    layout = _fitted(layout, frozenset(source.names()))
    tag = layout.source_id(digest_of(path))[:8]
    joined = read_joined_labels(path, layout)
    rows = _Rows(rejects)
    for chunk in source.chunks(layout.columns(), 0, limit):
        found = canonical_rows(chunk, layout, tag, joined)
        if not rows.parts:
            require_readable_columns(chunk, found, layout)
        rows.reject(found.bad, found.n_bad)
        rows.left_out.update(found.left_out)
        rows.parts.append(_encoded(found.table))
        rows.places.append((found.rows, found.lines))
        rows.read = chunk.rows_done
        if progress is not None:
            progress(rows.read, chunk.share)
    table, resolved = rows.resolved(layout.repeated)
    return PaymentFile(
        table=table,
        order=_order(table),
        rows=rows.read,
        bad=rows.bad,
        repeated=int(np.count_nonzero(~resolved.is_new)),
        reused=sum(map(len, resolved.reused.values())),
        rejects=rejects if rows.bad else None,
        labelled=layout.label is not None,
        reasons=rows.reasons.as_list(),
        labels_left_out=rows.left_out,
    )


class _Rows:
    """The rows of a file that are read so far."""

    def __init__(self, rejects: Path | None) -> None:
        self.parts: list[pa.Table] = []
        self.places: list[tuple[Int64, Int64]] = []
        self.reasons, self.left_out = RejectionReasons(), Counter[str]()
        self.read = self.bad = 0
        self._rejects = None if rejects is None else Rejects(rejects)
        if self._rejects is not None:
            self._rejects.resume(0)

    def reject(self, bad: list[BadRow], n_bad: int) -> None:
        """Count and list rejected rows: `n_bad` rows that broke the rules `bad`."""
        if self._rejects is not None:
            self._rejects.add(bad)
        self.reasons.add(bad)
        self.bad += n_bad

    def resolved(self, repeated: str) -> tuple[pa.Table, ResolvedRows]:
        """Return the table with each payment once, and all resolved rows."""
        table = pa.concat_tables(self.parts).unify_dictionaries() if self.parts else _no_rows()
        table, found = resolve_identities(table, self.places, repeated)
        self.reject(found.bad, len(found.bad))
        return table, found


def _fitted(layout: Layout, names: frozenset[str]) -> Layout:
    """The layout for a file with the columns `names`. It may lack the label, and no other column
    unless the layout allows it."""
    bare = replace(layout, label=None)
    label_columns = layout.columns() - bare.columns()
    kept = layout if label_columns <= names else bare
    return kept.without(kept.columns() - names, sorted(names))


def _encoded(table: pa.Table) -> pa.Table:
    for name in _REPEATED:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def _no_rows() -> pa.Table:
    kinds = dict.fromkeys(STAGED, pa.int64())
    kinds |= dict.fromkeys(TEXT_FIELDS, pa.string())
    kinds |= dict.fromkeys(_REPEATED, pa.dictionary(pa.int32(), pa.string()))
    kinds |= dict.fromkeys(("occurred_at", "known_at"), pa.timestamp("ms", tz="UTC"))
    kinds |= dict.fromkeys(("latitude", "longitude"), pa.float64()) | {"is_fraud": pa.bool_()}
    return pa.schema([(name, kinds[name]) for name in STAGED]).empty_table()


def _order(table: pa.Table) -> Int64:
    """The order by (time, transaction id)."""
    keys = [("occurred_at", "ascending"), ("transaction_id", "ascending")]
    order: Int64 = pc.sort_indices(table, sort_keys=keys).to_numpy().astype(np.int64)
    return order
