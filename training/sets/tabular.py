"""Reading a table as a data set of its own columns, without features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.category_codes import category_codes
from data.cells.numbers import NumberStyle
from data.cells.texts import texts
from data.files.chunk import Chunk, SourceUnreadable
from data.files.source import open_source
from data.layout.fields import LabelField, TabularFields, TimeField
from data.layout.mapping import Layout, require_columns
from data.rows.labels import label_codes
from data.rows.number_column import NumberColumn
from data.rows.timestamps import after_payments, read_timestamps
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Int64
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import UNKNOWN, Int8


def read_table(
    path: Path,
    layout: Layout,
    progress: Callable[[int, int], None],
    warn: Callable[[str], None] = lambda _: None,
    look: Callable[[Mapping[str, pa.Array]], None] = lambda _: None,
) -> Dataset:
    """Read the columns of a file that its layout's `[tabular]` section names, in the order of time;
    rows of equal time keep the order of the file.

    A label counts as known at its row's time unless a column states when: a table has no features
    of earlier labels, and often spans less time than `delay_days`.

    A cell that is not a number is NaN in a numeric column; an empty cell is NaN in any column. A
    numeric column whose cells are mostly not numbers is refused.

    Args:
        progress: called with rows done and an estimate of the total.
        warn: called with a sentence for each column with some cells that are not numbers.
        look: called with the columns of each chunk as they are in the file.

    Raises:
        NotTrainable: the layout has no `[tabular]` section, or no label.
        LayoutInvalid: the file lacks a column, or one is mostly unreadable.
        SourceUnreadable: the file is missing or damaged, or a row has no time or an unknown label.
    """
    fields, label = layout.tabular, layout.label
    if fields is None:
        raise NotTrainable(
            f"layout {layout.name} has no section [tabular], which lists the columns to train on:"
            " see docs/layouts.md"
        )
    if label is None or label.join is not None:
        raise NotTrainable(f"layout {layout.name} names no label column in the file itself")
    source = open_source(path, layout.dialect)
    wanted = _wanted(layout, fields, label)
    require_columns(layout.name, wanted, source.names())
    style = NumberStyle(layout.decimal, (), layout.missing, lenient=True)
    numeric = {name: NumberColumn(name, style) for name in fields.numeric}
    amount = layout.amount
    money = NumberStyle(amount.decimal, amount.ignore, amount.missing, exact=True)
    amounts = NumberColumn(amount.column, money)
    parts = []
    for chunk in source.chunks(wanted, 0, None):
        if chunk.bad:
            first = chunk.bad[0]
            raise SourceUnreadable(f"{path}: line {first.line}: {first.detail}")
        part = _part(chunk, layout, fields, label, path, numeric)
        look(chunk.columns)
        parts.append((*part, np.abs(amounts.read(chunk)), chunk.rows))
        progress(chunk.rows_done, max(chunk.rows_done, round(chunk.rows_done / chunk.share)))
    if not parts:
        raise NotTrainable(f"{path}: no rows")
    for where, column in (*(("tabular.numeric", c) for c in numeric.values()), ("amount", amounts)):
        sentence = column.check(f"layout {layout.name}: {where}")
        if sentence:
            warn(sentence)
    values, at_ms, codes, known_ms, value, row = (
        np.concatenate([part[i] for part in parts]) for i in range(6)
    )
    progress(len(at_ms), len(at_ms))
    order = np.argsort(at_ms, kind="stable")
    n_numeric = len(fields.numeric)
    names = (*fields.numeric, *fields.categorical)
    return Dataset(
        values=np.ascontiguousarray(values[order]),
        label=codes[order],
        known_at_ms=known_ms[order],
        timestamp_ms=at_ms[order],
        customer_id=None,
        amount=value[order],
        segment={},
        schema=FeatureSchema.tabular(names, range(n_numeric, len(names))),
        row_id=[str(i) for i in row[order].tolist()],
    )


def _wanted(layout: Layout, fields: TabularFields, label: LabelField) -> frozenset[str]:
    wanted = {layout.amount.column, label.column, *layout.timestamp.columns_read()}
    if label.known_at is not None:
        wanted |= label.known_at.columns_read()
    return frozenset((*fields.numeric, *fields.categorical, *wanted))


def _part(
    chunk: Chunk,
    layout: Layout,
    fields: TabularFields,
    label: LabelField,
    path: Path,
    numeric: Mapping[str, NumberColumn],
) -> tuple[Float32, Int64, Int8, Int64]:
    """The values, times, labels, and times of the labels of a chunk's rows."""
    n = len(chunk.rows)
    values = np.empty((n, len(fields.numeric) + len(fields.categorical)), np.float32)
    for i, name in enumerate(fields.numeric):
        values[:, i] = numeric[name].read(chunk)
    for i, name in enumerate(fields.categorical, start=len(fields.numeric)):
        found = texts(chunk.columns[name], layout.missing)
        _refuse(found.unreadable, chunk, path, f"{name} is not unambiguous text")
        values[:, i] = category_codes(found.values.to_pylist())
    when = read_timestamps(chunk.columns, chunk.rows, layout.timestamp)
    _refuse(~when.known, chunk, path, f"{_named(layout.timestamp)} is not a time")
    codes = label_codes(chunk.columns[label.column], label)
    _refuse(codes == 2, chunk, path, f"{label.column} is neither fraud nor genuine")
    known_ms = when.at_ms
    if label.known_at is not None:
        dated = read_timestamps(chunk.columns, chunk.rows, label.known_at)
        _refuse(
            dated.present & ~dated.known, chunk, path, f"{_named(label.known_at)} is not a time"
        )
        if label.undated_ms is None:
            codes = np.where(dated.known, codes, UNKNOWN).astype(np.int8)
        undated = when.at_ms + (label.undated_ms or 0)
        known_ms = np.where(dated.known, dated.at_ms + (label.delay_ms or 0), undated)
        known_ms, early = after_payments(dated, known_ms, when.at_ms)
        early &= codes != UNKNOWN
        _refuse(early, chunk, path, f"{_named(label.known_at)} lies before its row")
    return values, when.at_ms, codes, known_ms


def _named(field: TimeField) -> str:
    return ", ".join(sorted(field.columns_read()))


def _refuse(wrong: NDArray[np.bool_], chunk: Chunk, path: Path, why: str) -> None:
    if wrong.any():
        line = int(chunk.lines[int(np.flatnonzero(wrong)[0])])
        raise SourceUnreadable(f"{path}: line {line}: {why}")
