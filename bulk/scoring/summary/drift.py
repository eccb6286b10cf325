"""How far the columns of a file have moved from a reference: the population stability index.

A profile holds quantiles or the most frequent categories, not rows. The quantiles stand for a
column of numbers, so that the bins of `models.drift` are cut as in the reports of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bulk.scoring.part_cells import PartCells
from bulk.scoring.plan import PlannedColumn, PlannedModel
from bulk.scoring.tabular_scorer import column_values
from data.category_codes import category_code
from fraud.payment.batch import Float32, Float64, Int64
from models.drift import BINS, ReferenceDistribution, level
from references.profile.column import ColumnKind

ROWS_COUNTED = 10_000
"""Rows of each part that are counted, evenly spread: enough for an index."""


def drifting(model: PlannedModel) -> tuple[PlannedColumn, ...]:
    """The columns of a reference whose drift can be measured: those with a counterpart in the file
    and quantiles or categories."""
    return tuple(c for c in model.columns if c.file_column is not None and _measured(c))


def drift_counts(model: PlannedModel, cells: PartCells) -> Int64:
    """int64[k, 11]: rows of a part by the bins of each of the `drifting` columns."""
    columns = drifting(model)
    step = max(1, len(cells) // ROWS_COUNTED)
    values = np.empty((len(range(0, len(cells), step)), len(columns)), np.float32)
    for i, column in enumerate(columns):
        values[:, i] = _values(column, cells, model)[::step]
    return _distribution(columns).count(values)


def drift_table(model: PlannedModel, counts: Int64) -> list[dict[str, Any]]:
    """The drift of each column of a reference, the largest first, JSON-ready.

    Each has reference, column, file_column, psi (None if unknown), level (of `models.drift.level`),
    missing (share of the counted rows without a value) and missing_before.

    Args:
        counts: int64[k, 11], the sum of `drift_counts` over all parts.
    """
    columns = drifting(model)
    index = _distribution(columns).psi(counts)
    rows = counts.sum(axis=1)
    table = [
        {
            "reference": model.reference,
            "column": column.name,
            "file_column": column.file_column,
            "psi": None if np.isnan(psi) else round(float(psi), 4),
            "level": level(float(psi), int(n)),
            "missing": round(float(empty / n), 4) if n else None,
            "missing_before": round(column.profile.null_rate, 4),
        }
        for column, psi, n, empty in zip(columns, index, rows, counts[:, BINS], strict=True)
    ]
    return sorted(table, key=lambda one: -(one["psi"] or 0.0))


def _measured(column: PlannedColumn) -> bool:
    profile = column.profile
    if _coded(column):
        return bool(profile.categories)
    return profile.kind in (ColumnKind.NUMBER, ColumnKind.CONSTANT) and len(profile.quantiles) > 1


def _coded(column: PlannedColumn) -> bool:
    return column.categorical or column.profile.kind is ColumnKind.CATEGORY


def _values(column: PlannedColumn, cells: PartCells, model: PlannedModel) -> Float32:
    """Codes of a column of categories, also of kind `history`; else numbers."""
    name = column.file_column
    if _coded(column) and name is not None and name in cells:
        return cells.codes(name, model.missing, column.categories)
    return column_values(column, cells, model.missing)


def _distribution(columns: Sequence[PlannedColumn]) -> ReferenceDistribution:
    """How the columns were spread in training, by their profiles."""
    coded = [i for i, column in enumerate(columns) if _coded(column)]
    parts = [
        _of_categories(column) if _coded(column) else _of_numbers(column) for column in columns
    ]
    blank = np.empty((0, BINS - 1)), np.empty((0, BINS + 1), np.int64)
    cuts, counts = zip(*parts, strict=True) if parts else ((), ())
    return ReferenceDistribution(
        tuple(column.name for column in columns),
        np.isin(np.arange(len(columns)), np.array(coded, np.int64)),
        np.stack(cuts) if cuts else blank[0],
        np.stack(counts) if counts else blank[1],
    )


def _of_numbers(column: PlannedColumn) -> tuple[Float64, Int64]:
    # Each quantile stands for the rows up to the next one; between them nothing is made up. Models
    # see float32: a value that repeats must fall on the same side of its own cut.
    values = np.array(column.profile.quantiles[:-1], np.float32)
    found = ReferenceDistribution.of((column.name,), values[:, None])
    shares = found.counts[0, :BINS] / len(values)
    return found.cuts[0], _counts(shares, column)


def _of_categories(column: PlannedColumn) -> tuple[Float64, Int64]:
    known: dict[float, float] = {}
    for text, share in column.profile.categories:
        code = float(np.float32(category_code(text)))
        known[code] = known.get(code, 0.0) + share
    frequent = sorted(sorted(known, key=lambda code: -known[code])[: BINS - 1])
    cuts = np.full(BINS - 1, np.inf)
    cuts[: len(frequent)] = frequent
    shares = np.zeros(BINS)
    shares[: len(frequent)] = [known[code] for code in frequent]
    shares[BINS - 1] = max(0.0, 1.0 - shares.sum())
    return cuts, _counts(shares, column)


def _counts(shares: Float64, column: PlannedColumn) -> Int64:
    profile = column.profile
    filled = np.rint(shares * profile.filled)
    return np.append(filled, profile.rows - profile.filled).astype(np.int64)
