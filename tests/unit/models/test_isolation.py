"""The isolation forest as arrays scores as scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from models.isolation import average_path_length, flat_forest


@pytest.mark.parametrize(("rows", "columns"), [(1000, 7), (2, 1), (300, 1)])
def test_scores_are_those_of_scikit_learn(rows, columns):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    forest = IsolationForest(n_estimators=20, max_samples=min(256, rows), random_state=1).fit(x)
    others = rng.normal(scale=3, size=(1500, columns)).astype(np.float32)
    found = flat_forest(forest).score(others)
    assert found == pytest.approx(-forest.score_samples(others), abs=1e-12)
    assert ((found > 0) & (found <= 1)).all()


def test_no_rows():
    forest = IsolationForest(n_estimators=2, random_state=1).fit(np.eye(4, dtype=np.float32))
    assert flat_forest(forest).score(np.empty((0, 4), np.float32)).shape == (0,)


def test_average_path_length_is_that_of_unsuccessful_searches() -> None:
    # The harmonic number in c(n) is ln(n - 1) + Euler's constant, from three rows on.
    found = average_path_length(np.array([0, 1, 2, 3, 256]))
    assert found[:3].tolist() == [0, 0, 1]
    assert found[3:].tolist() == pytest.approx([1.2073925, 10.2447709], abs=1e-6)
