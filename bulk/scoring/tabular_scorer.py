"""Models of a table's own columns, applied to the columns of a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bulk.scoring.loaded_models import loaded
from bulk.scoring.part_cells import PartCells
from bulk.scoring.plan import PlannedArtifact, PlannedColumn, PlannedModel
from fraud.errors import ArtifactRefused
from fraud.payment.batch import Float32, Float64

ROWS_AT_ONCE = 4096
"""Rows of one call: what a model needs besides its file stays in the processor's cache."""

_TIME_TO_EPOCH = "time-to-epoch-s"
"""The conversion that is a change of format: see `references.matching.columns.units`."""


class TabularScorer:
    """Scores parts of a file with one reference of kind `tabular`.

    Args:
        model: what scores.

    Raises:
        ArtifactRefused: an artifact is damaged, or takes other columns than the reference has.
    """

    def __init__(self, model: PlannedModel) -> None:
        self._model = model
        self._order = _order(model, model.model)
        if model.anomaly is not None and _order(model, model.anomaly) != self._order:
            raise ArtifactRefused(f"{model.anomaly.variant}: it takes other columns than the model")

    def matrix(self, cells: PartCells) -> Float32:
        """float32[n, n_features] in the order of the model's columns; NaN where unknown."""
        values = np.full((len(cells), len(self._order)), np.nan, np.float32)
        for i, column in enumerate(self._order):
            values[:, i] = column_values(column, cells, self._model.missing)
        return values

    def score(self, values: Float32) -> Float64:
        """float64[n] in [0, 1]: calibrated probabilities; NaN where the model gives none."""
        return scored(self._model.model, values)

    def anomaly(self, values: Float32) -> Float64 | None:
        """float64[n] in (0, 1]: how unusual rows are among the training rows; None if the reference
        cannot tell."""
        return None if self._model.anomaly is None else scored(self._model.anomaly, values)


def column_values(column: PlannedColumn, cells: PartCells, missing: Sequence[str] = ()) -> Float32:
    """float32[n]: cells of the file as values of a column of the reference; NaN where unknown.

    Args:
        missing: what counted as missing in training: a number such as -999, or a text without a
            code of its own.
    """
    name = column.file_column
    if name is None or name not in cells:
        return np.full(len(cells), np.nan, np.float32)
    if column.categorical:
        return cells.codes(name, missing, column.categories)
    if column.conversion == _TIME_TO_EPOCH:
        return cells.epoch_s(name, column.time_format).astype(np.float32)
    found = cells.numbers(name, missing)
    with np.errstate(over="ignore"):
        return (found if column.factor == 1.0 else found * column.factor).astype(np.float32)


def scored(artifact: PlannedArtifact, values: Float32) -> Float64:
    """float64[n]: calibrated scores of the rows float32[n, n_features]."""
    scorer = loaded(artifact)
    found = np.empty(len(values))
    for start in range(0, len(values), ROWS_AT_ONCE):
        rows = values[start : start + ROWS_AT_ONCE]
        found[start : start + len(rows)] = scorer.score(rows, scorer.manifest.schema_id)
    return found


def _order(model: PlannedModel, artifact: PlannedArtifact) -> list[PlannedColumn]:
    """The reference's columns in the order in which an artifact takes them."""
    known = {column.name: column for column in model.columns}
    wanted = loaded(artifact).manifest.columns
    absent = [name for name in wanted if name not in known]
    if absent or not wanted:
        raise ArtifactRefused(f"{artifact.variant}: {model.reference} does not have its columns")
    return [known[name] for name in wanted]
