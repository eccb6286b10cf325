"""The isolation forest of a file: fitted on its own sample, the same in every process."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bulk.scoring.anomaly.prepared_columns import PreparedColumns
from bulk.scoring.part_cells import PartCells, cells_of
from bulk.scoring.plan import FileColumn, ScoringPlan
from fraud.payment.batch import Float64
from models.drift import ReferenceDistribution
from models.isolation import FlatForest, flat_forest

TREES = 100
SAMPLE_ROWS = 256
"""Rows that a tree is fitted on: as in the paper of Liu, Ting and Zhou (ICDM 2008)."""


class FileForest:
    """Tells how unusual rows are among those of their own file.

    Args:
        sample: rows of the file.
        columns: what to look at.
        seed: of the forest.
    """

    def __init__(self, sample: PartCells, columns: tuple[FileColumn, ...], seed: int) -> None:
        self._prepared = PreparedColumns.of(sample, columns)
        self.names = self._prepared.names
        values = self._prepared.values(sample)
        coded = [i for i, name in enumerate(self.names) if name in self._prepared.shares]
        self._spread = ReferenceDistribution.of(self.names, values, coded) if self.names else None
        self._sample = self._prepared.imputed(values)
        self._seed = seed

    def score(self, cells: PartCells) -> Float64:
        """float64[n] in (0, 1]; 0.5, as unusual as the mean, where a file gives nothing to compare:
        one row, or no column that varies."""
        if not self._sample.size or len(self._sample) < 2:
            return np.full(len(cells), 0.5)
        return self._forest.score(self._prepared.imputed(self._prepared.values(cells)))

    @cached_property
    def _forest(self) -> FlatForest:
        # Imported late: it takes a second, and finishing scores nothing.
        from sklearn.ensemble import IsolationForest

        rows = min(SAMPLE_ROWS, len(self._sample))
        forest = IsolationForest(
            n_estimators=TREES, max_samples=rows, random_state=self._seed, n_jobs=1
        )
        return flat_forest(forest.fit(self._sample))

    def shares(self, cells: PartCells) -> Float64:
        """float64[n, k]: the share of the file's rows that are like each value: in the same tenth
        of a column of numbers, or of the same category; NaN where the value is unknown."""
        if self._spread is None:
            return np.empty((len(cells), 0))
        return self._spread.share(self._prepared.values(cells))


def file_forest(plan: ScoringPlan, sample: Path) -> FileForest:
    """Return the forest of a job, fitted once in each process.

    Args:
        sample: Parquet, rows of the file.
    """
    found = sample.stat()
    return _cached(plan.columns, plan.decimal, plan.missing, plan.seed, sample, found.st_mtime_ns)


@lru_cache(maxsize=2)
def _cached(
    columns: tuple[FileColumn, ...],
    decimal: str,
    missing: tuple[str, ...],
    seed: int,
    sample: Path,
    _changed_ns: int,
) -> FileForest:
    names = {column.name for column in columns}
    present = [n for n in pq.read_schema(sample).names if n in names]
    table = pq.read_table(sample, columns=present, partitioning=None)
    return FileForest(cells_of(table, names, decimal, missing), columns, seed)
