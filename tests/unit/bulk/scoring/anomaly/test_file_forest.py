"""The isolation forest of a file: the same in every process, blind to identifiers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.scoring.anomaly import file_forest as module
from bulk.scoring.anomaly.file_forest import FileForest, file_forest
from bulk.scoring.part_cells import cells_of
from bulk.scoring.plan import FileColumn
from references.profile.column import ColumnKind
from tests.contracts.scored_jobs import plan

X = FileColumn("x", ColumnKind.NUMBER)
KIND = FileColumn("kind", ColumnKind.CATEGORY)


def cells(**columns):
    return cells_of(pa.table(columns), list(columns), ".", ["NA"])


def usual(n=400, seed=0):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["food", "fuel", "casino"], n, p=[0.5, 0.49, 0.01]).tolist()
    return {"x": [f"{v:.3f}" for v in rng.normal(10, 1, n)], "kind": kinds}


def test_a_far_number_and_a_rare_category_are_strange():
    forest = FileForest(cells(**usual()), (X, KIND), seed=0)
    found = forest.score(cells(x=["10", "99999", "10"], kind=["food", "food", "casino"]))
    assert found[1] > found[0] + 0.1
    assert found[2] > found[0] + 0.1
    assert ((found > 0) & (found <= 1)).all()


def test_shares_say_what_is_rare():
    forest = FileForest(cells(**usual()), (X, KIND), seed=0)
    (share,) = forest.shares(cells(x=["10"], kind=["bingo"]))
    assert share[0] == pytest.approx(0.1, abs=0.02)
    assert share[1] == 0


def test_every_process_fits_the_same_forest(tmp_path):
    pq.write_table(pa.table(usual()), tmp_path / "sample.parquet")
    planned = plan([], ["x"])
    rows = cells(**usual(seed=1))
    first = file_forest(planned, tmp_path / "sample.parquet").score(rows)
    module._cached.cache_clear()
    assert np.array_equal(file_forest(planned, tmp_path / "sample.parquet").score(rows), first)


def test_unknown_values_and_columns_are_scored():
    forest = FileForest(cells(**usual()), (X, KIND), seed=0)
    found = forest.score(cells(x=pa.array([None, "NA"], pa.string())))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "sample",
    [
        {"x": ["1"], "kind": ["a"]},
        {"x": pa.array([None, None], pa.string()), "kind": ["a", "a"]},
        {"x": ["1", "1", "1"]},
        {"other": ["1", "2"]},
    ],
)
def test_a_sample_without_differences_finds_nothing_strange(sample):
    forest = FileForest(cells(**sample), (X, KIND), seed=0)
    found = forest.score(cells(x=["1", "2"], kind=["a", "b"]))
    assert found.tolist() == [0.5, 0.5]
    assert forest.shares(cells(x=["1"])).shape == (1, 0)
