"""Rows of a file as canonical transactions, column by column, and the rows that are rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import texts
from data.files.chunk import BadRow, Chunk
from data.layout.fields import TEXT_FIELDS, LabelField, TimeField
from data.layout.mapping import Layout, LayoutInvalid
from data.rows.amounts import amounts, reject_withdrawn_currencies
from data.rows.labels import FRAUD, GENUINE, OTHER, UNKNOWN, JoinedLabels, both_codes, label_codes
from data.rows.row_checks import (
    BEFORE_PAYMENT,
    FOLD,
    GAP,
    MISSING,
    NO_TEXT,
    NOT_A_LABEL,
    NOT_A_NUMBER,
    NOT_A_TIME,
    Bool,
    RowChecks,
    broken,
)
from data.rows.text_values import text_values
from data.rows.timestamps import Timestamps, after_payments, read_timestamps
from fraud.payment import limits
from fraud.payment.batch import Int64

STAGED = (
    "transaction_id",
    "occurred_at",
    "customer_id",
    *(name for name in TEXT_FIELDS if name not in ("transaction_id", "customer_id")),
    "amount_minor",
    "latitude",
    "longitude",
    "amount_hundredths",
    "is_fraud",
    "known_at",
)
"""Columns of `CanonicalRows.table`."""

_NOT_JOINED = "not in the second file"


@dataclass(frozen=True, slots=True)
class CanonicalRows:
    """The rows of a chunk.

    Attributes:
        table: the sound rows, columns `STAGED`; times are timestamp[ms, UTC].
        bad: one entry for each broken rule, in the order of rows.
        n_bad: number of rows that broke any rule or could not be split into columns.
        left_out: reason -> number of labels that were left out of sound rows.
        filled: field -> number of rows whose cells are not empty.
        rows, lines: int64[n], where each sound row stands: see `Chunk`.
    """

    table: pa.Table
    bad: list[BadRow]
    n_bad: int
    left_out: Mapping[str, int]
    filled: Mapping[str, int]
    rows: Int64
    lines: Int64


def canonical_rows(
    chunk: Chunk, layout: Layout, tag: str, joined: JoinedLabels | None = None
) -> CanonicalRows:
    """Map and check a chunk.

    Args:
        tag: put before row numbers that serve as ids, so that two files do not share them.
        joined: labels of the second file by key, if the layout joins one.
    """
    checks = RowChecks(chunk, layout)
    columns: dict[str, pa.Array] = {name: text_values(checks, name, tag) for name in layout.text}
    currency = columns["currency"]
    at_ms = _payment_times(checks)
    columns["occurred_at"] = _timestamps(at_ms)
    minor, hundredths = amounts(checks, currency)
    columns["amount_minor"], columns["amount_hundredths"] = pa.array(minor), pa.array(hundredths)
    for name, limit in (("latitude", 90.0), ("longitude", 180.0)):
        columns[name] = _degrees(checks, name, limit)
    columns["is_fraud"], columns["known_at"] = _labels(checks, at_ms, joined)
    reject_withdrawn_currencies(checks, currency, at_ms)
    absent = pa.nulls(len(chunk.rows), pa.string())
    table = pa.table({name: columns.get(name, absent) for name in STAGED})
    bad = sorted(chunk.bad + checks.bad, key=lambda b: b.row)
    left_out = {why: int((where & checks.sound).sum()) for why, where in checks.left_out.items()}
    return CanonicalRows(
        table.filter(pa.array(checks.sound)),
        bad,
        len({b.row for b in bad}),
        {why: n for why, n in left_out.items() if n},
        checks.filled,
        chunk.rows[checks.sound],
        chunk.lines[checks.sound],
    )


def _payment_times(checks: RowChecks) -> Int64:
    """int64[n], milliseconds since 1970; of rejected rows any value."""
    found = _checked_times(checks, checks.layout.timestamp, "timestamp")
    checks.reject(~found.present, "timestamp", MISSING)
    return found.at_ms


def _checked_times(checks: RowChecks, field: TimeField, name: str) -> Timestamps:
    """The times of a field. Rows whose times cannot be read are rejected."""
    found = read_timestamps(checks.chunk.columns, checks.chunk.rows, field)
    at_ms, known = found.at_ms, found.known
    checks.filled[name] = int(found.present.sum())
    checks.reject(found.present & ~known & ~found.gap & ~found.fold, name, NOT_A_TIME)
    checks.reject(found.gap, name, GAP)
    checks.reject(found.fold, name, FOLD)
    outside = known & ((at_ms < limits.MIN_TIMESTAMP_MS) | (at_ms >= limits.MAX_TIMESTAMP_MS))
    checks.reject(outside, name, broken(limits.timestamp_problem(-1)))
    inside = known & ~outside
    return found._replace(at_ms=np.where(inside, at_ms, 0), known=inside)


def _degrees(checks: RowChecks, name: str, limit: float) -> pa.Array:
    """A latitude or longitude, null where unknown."""
    layout = checks.layout
    column = layout.degrees.get(name)
    if column is None:
        return pa.nulls(len(checks.chunk.rows), pa.float64())
    style = NumberStyle(layout.decimal, (), layout.missing)
    found = numbers(checks.chunk.columns[column], style)
    checks.filled[name] = int(found.present.sum())
    checks.reject(found.unreadable | found.marked, name, NOT_A_NUMBER)
    problem = broken(limits.degrees_problem(limit + 1, limit))
    checks.reject(found.known & (np.abs(found.value) > limit), name, problem)
    return pa.array(found.value, mask=~found.known)


def _labels(
    checks: RowChecks, at_ms: Int64, joined: JoinedLabels | None
) -> tuple[pa.Array, pa.Array]:
    """`is_fraud` and `known_at`, both null where there is no label."""
    field, n = checks.layout.label, len(checks.chunk.rows)
    if field is None:
        return pa.nulls(n, pa.bool_()), _timestamps(np.zeros(n, np.int64), np.ones(n, np.bool_))
    code = _label_codes(checks, field, joined)
    checks.reject(code == OTHER, "is_fraud", NOT_A_LABEL)
    checks.filled["is_fraud"] = int((code != UNKNOWN).sum())
    known = (code == FRAUD) | (code == GENUINE)
    known_ms, known = _known_times(checks, field, at_ms, known)
    return pa.array(code == FRAUD, mask=~known), _timestamps(known_ms, ~known)


def _known_times(
    checks: RowChecks, field: LabelField, at_ms: Int64, known: Bool
) -> tuple[Int64, Bool]:
    """When labels became known, int64[n], and which rows have a label, bool[n]."""
    if field.delay_ms is None:
        raise LayoutInvalid(
            f"layout {checks.layout.name}: label.delay_days: is missing: after how many days is a"
            " label known? Only a table can do without it"
        )
    if field.known_at is None:
        return at_ms + field.delay_ms, known
    dated = _checked_times(checks, field.known_at, "known_at")
    known_ms = dated.at_ms + field.delay_ms
    if field.undated_ms is not None:
        known_ms = np.where(dated.present, known_ms, at_ms + field.undated_ms)
    else:
        checks.left_out["undated"] = known & ~dated.present
        known = known & dated.known
    known_ms, early = after_payments(dated, known_ms, at_ms)
    checks.reject(early & known, "known_at", BEFORE_PAYMENT)
    return known_ms, known


def _label_codes(
    checks: RowChecks, field: LabelField, joined: JoinedLabels | None
) -> NDArray[np.int8]:
    columns = checks.chunk.columns
    if joined is None or field.join is None:
        return label_codes(columns[field.column], field)
    code = np.full(len(checks.chunk.rows), FRAUD, dtype=np.int8)
    left_out = np.zeros(len(code), dtype=np.bool_)
    for column in field.join.rows:
        keys = texts(columns[column], field.missing)
        checks.reject(keys.unreadable, "is_fraud", NO_TEXT)
        code = both_codes(code, joined.codes(keys.values))
        present = pc.is_valid(keys.values).to_numpy(zero_copy_only=False)
        left_out |= present & ~joined.has(keys.values)
    checks.left_out[_NOT_JOINED] = left_out
    return code


def _timestamps(at_ms: Int64, mask: Bool | None = None) -> pa.Array:
    return pa.array(at_ms, mask=mask).cast(pa.timestamp("ms", tz="UTC"))
