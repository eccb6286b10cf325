"""The leaves of a booster, where XGBoost's own trees are unusual."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost

from models.trees import TreeContributions
from training.export.leaves import leaves_of_booster, leaves_of_trees


@pytest.mark.parametrize(
    "parameters", [{"max_depth": 12, "min_child_weight": 0}, {"max_depth": 1}, {"gamma": 1e9}]
)
def test_contributions_are_those_of_xgboost(parameters):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(400, 20)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    data = xgboost.DMatrix(values, rng.integers(0, 2, 400))
    asked = {"objective": "binary:logistic", "nthread": 1, **parameters}
    booster = xgboost.train(asked, data, 5)
    found = TreeContributions(leaves_of_booster(booster), 20)(values)
    expected = booster.predict(data, pred_contribs=True)[:, :-1]
    assert np.allclose(found, expected, rtol=0, atol=1e-5)


def test_branches_of_a_split_without_rows_weigh_the_same():
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [0, 0, 0],
        "split_conditions": [0.5, -1.0, 1.0],
        "sum_hessian": [0.0, 0.0, 0.0],
        "default_left": [1, 0, 0],
    }
    found = TreeContributions(leaves_of_trees([tree]), 1)(np.array([[0.0], [0.5]], np.float32))
    assert found.tolist() == [[-1.0], [1.0]]
