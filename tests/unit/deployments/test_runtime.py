"""The runtimes, on models made by the libraries themselves."""

from __future__ import annotations

import numpy as np
import pytest
import treelite.sklearn
import xgboost
from sklearn.ensemble import IsolationForest

from deployments.runtime import ContributionModel, TreeliteRuntime
from fraud.errors import ArtifactRefused


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)


def test_a_forest_gives_what_scikit_learn_gives(values, tmp_path):
    forest = IsolationForest(n_estimators=20, random_state=1).fit(values)
    treelite.sklearn.import_model(forest).serialize(str(tmp_path / "model.tl"))
    raw = TreeliteRuntime(tmp_path / "model.tl", 4).raw(values)
    assert raw.tolist() == pytest.approx((-forest.score_samples(values)).tolist(), abs=1e-6)
    with pytest.raises(ArtifactRefused):
        TreeliteRuntime(tmp_path / "model.tl", 5)


def test_contributions_and_bias_add_up_to_the_margin(values, tmp_path):
    labels = (values[:, 0] + values[:, 1] > 1).astype(int)
    data = xgboost.DMatrix(values, labels)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 10)
    booster.save_model(tmp_path / "model.ubj")
    found = ContributionModel(tmp_path / "model.ubj", 4)(values)
    margin = booster.predict(data, output_margin=True)
    rest = margin - found.sum(axis=1)
    assert found.shape == (200, 4)
    assert np.ptp(rest) < 1e-4
    with pytest.raises(ArtifactRefused):
        ContributionModel(tmp_path / "model.ubj", 5)
