"""The runtimes, on models made by the libraries themselves."""

from __future__ import annotations

import numpy as np
import pytest
import treelite.sklearn
from sklearn.ensemble import IsolationForest

from deployments.runtime import TreeliteRuntime
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
