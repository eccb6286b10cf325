"""What the data of a training looked like, measured while they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from data.cells.texts import DEFAULT_MISSING
from data.layout.mapping import Layout
from fraud.payment.batch import TransactionBatch
from references.files import LONGEST_NAME
from references.profile.column import ColumnProfile
from references.profile.draw import RowDraw
from references.profile.measure import Profiler, measure
from references.profile.sketch import SKETCH_ROWS, sketch, sketch_of
from references.reference import ReferenceKind
from training.reference.payment_fields import named_ids, payment_columns


@dataclass(frozen=True, slots=True)
class Measured:
    """What the data of a training looked like.

    Attributes:
        name: of the reference.
        kind: see `Reference`.
        profiles: of the table's columns or of the payments' fields; for a table, in the order of
            the models' features.
        sketch: at most 2,000 rows of these columns.
        label: name of the label's column; "" for payments.
        decimal, missing: of a table, see `Reference`.
    """

    name: str
    kind: ReferenceKind
    profiles: tuple[ColumnProfile, ...]
    sketch: pa.Table
    label: str = ""
    decimal: str = "."
    missing: tuple[str, ...] = ()


class TableMeasurer:
    """Measures the columns that models of a table use, chunk by chunk.

    Args:
        layout: of the file; has a section `[tabular]` and a label.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._profiler = Profiler(decimal=layout.decimal, missing=layout.missing)
        self._draw = RowDraw(SKETCH_ROWS)
        fields = layout.tabular
        self._names = () if fields is None else (*fields.numeric, *fields.categorical)

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Measure the next rows: name -> cells as they are in the file."""
        used = {name: columns[name] for name in self._names}
        self._profiler.add(used)
        self._draw.add(used)

    def measured(self) -> Measured:
        """What was measured, to be called after the last chunk."""
        layout, profiles = self._layout, self._profiler.profiles()
        return Measured(
            name=reference_name(layout.name),
            kind="tabular",
            profiles=profiles,
            sketch=sketch_of(self._draw.rows(), profiles, missing=layout.missing),
            label="" if layout.label is None else layout.label.column,
            decimal=layout.decimal,
            missing=tuple(sorted(layout.missing)),
        )


def measured_payments(tenant: str, batch: TransactionBatch) -> Measured:
    """Measure the payments of a tenant: the fields that features are made from, if any payment has
    them."""
    columns = payment_columns(batch)
    profiles = tuple(p for p in measure(columns, missing=()) if p.filled)
    profiles = named_ids(profiles, columns)
    return Measured(
        name=reference_name(tenant),
        kind="history",
        profiles=profiles,
        sketch=sketch(columns, profiles, missing=()),
        missing=tuple(sorted(DEFAULT_MISSING)),
    )


def reference_name(text: str) -> str:
    """The name of a reference after a layout or a tenant.

    >>> reference_name("Theirs.eu")
    'theirs.eu'
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).lstrip("._-")
    return plain[:LONGEST_NAME] or "unnamed"
