"""A table that names no entities as a data set of its own columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.tabular import codes_of
from fraud.batch import Float32, Float64, Int64
from fraud.errors import NotTrainable
from training.data.canonical import label_codes
from training.data.cells import amounts, numbers, texts, times_ms
from training.data.layout import AmountField, LabelField, Layout, LayoutInvalid, TabularFields
from training.data.source import Chunk, SourceUnreadable, open_source
from training.dataset import Dataset
from training.schema import FeatureSchema
from training.split import UNKNOWN, Int8


def read_table(path: Path, layout: Layout, progress: Callable[[int, int], None]) -> Dataset:
    """Read the rows of a file that its layout's `[tabular]` section describes, in the order of
    time; of equal times in the order of the file.

    A label counts as known with its row, unless a column says when: a table has no features that
    know earlier labels, and its span is often shorter than the delay of `delay_days`.

    A cell that is no number is NaN in a numeric column; an empty one is NaN in any.

    Args:
        progress: told rows done, and rows in all as far as is known.

    Raises:
        NotTrainable: the layout has no `[tabular]` section, or no label.
        LayoutInvalid: the file lacks a column.
        SourceUnreadable: the file is missing or damaged, or a row has no time or a label that the
            layout does not know.
    """
    fields, label = layout.tabular, layout.label
    if fields is None:
        raise NotTrainable(
            f"layout {layout.name} has no section [tabular]: list the columns to train on there,"
            " as docs/layouts.md shows"
        )
    if label is None or label.join is not None:
        raise NotTrainable(f"layout {layout.name} names no label column in the file itself")
    source = open_source(path, layout.delimiter, layout.encoding)
    wanted = _wanted(layout, fields, label)
    absent = sorted(wanted - set(source.names()))
    if absent:
        raise LayoutInvalid(f"layout {layout.name}: the file has no column {', '.join(absent)}")
    parts = []
    for chunk in source.chunks(wanted, 0, None):
        if chunk.bad:
            first = chunk.bad[0]
            raise SourceUnreadable(f"{path}: line {first.line}: {first.detail}")
        parts.append(_part(chunk, layout, fields, label, path))
        progress(chunk.rows_done, max(chunk.rows_done, round(chunk.rows_done / chunk.share)))
    if not parts:
        raise NotTrainable(f"{path}: no rows")
    values, at_ms, codes, known_ms, amount, number = (
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
        amount=amount[order],
        segment={},
        schema=FeatureSchema.tabular(names, range(n_numeric, len(names))),
        row_id=[str(i) for i in number[order].tolist()],
    )


def _wanted(layout: Layout, fields: TabularFields, label: LabelField) -> frozenset[str]:
    dated = None if label.known_at is None else label.known_at.column
    wanted = {layout.timestamp.column, layout.amount.column, label.column, dated}
    return frozenset((*fields.numeric, *fields.categorical, *(c for c in wanted if c is not None)))


def _part(
    chunk: Chunk, layout: Layout, fields: TabularFields, label: LabelField, path: Path
) -> tuple[Float32, Int64, Int8, Int64, Float64, Int64]:
    """Values, times, labels, when they were known, amounts and numbers of a chunk's rows."""
    n = len(chunk.rows)
    values = np.empty((n, len(fields.numeric) + len(fields.categorical)), np.float32)
    for i, name in enumerate(fields.numeric):
        values[:, i] = _numbers(chunk, name)
    for i, name in enumerate(fields.categorical, start=len(fields.numeric)):
        values[:, i] = codes_of(texts(chunk.columns[name]).to_pylist())
    if layout.timestamp.column is None:
        at_ms = np.rint(chunk.rows * (layout.timestamp.unit_ms or 1)) + layout.timestamp.base_ms
        at_ms = at_ms.astype(np.int64)
    else:
        at_ms, known = times_ms(chunk.columns[layout.timestamp.column], layout.timestamp)
        _refuse(~known, chunk, path, f"{layout.timestamp.column} is not a time")
    codes = label_codes(chunk.columns[label.column], label.fraud, label.genuine)
    _refuse(codes == 2, chunk, path, f"{label.column} is neither fraud nor genuine")
    known_ms = at_ms
    if label.known_at is not None and label.known_at.column is not None:
        dated_ms, dated = times_ms(chunk.columns[label.known_at.column], label.known_at)
        codes = np.where(dated, codes, UNKNOWN).astype(np.int8)
        known_ms = dated_ms + label.delay_ms
    return values, at_ms, codes, known_ms, _amounts(chunk, layout.amount), chunk.rows


def _amounts(chunk: Chunk, field: AmountField) -> Float64:
    """float64[n], without their signs, NaN where the cell is no amount."""
    found, known = amounts(chunk.columns[field.column], field)
    return np.where(known, np.abs(found), np.nan)


def _numbers(chunk: Chunk, name: str) -> Float64:
    """float64[n], NaN where the cell is no number."""
    found, known = numbers(chunk.columns[name])
    return np.where(known, found, np.nan)


def _refuse(wrong: NDArray[np.bool_], chunk: Chunk, path: Path, why: str) -> None:
    if wrong.any():
        line = int(chunk.lines[int(np.flatnonzero(wrong)[0])])
        raise SourceUnreadable(f"{path}: line {line}: {why}")
