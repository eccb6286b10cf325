"""Path lengths of an isolation forest, and where its missing values go."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from training.export.fitted import Fitted
from training.export.isolation import isolation_graph
from training.export.linear import signed_log
from training.export.scoring import raw_scores


def _fitted(forest: IsolationForest, median: np.ndarray) -> Fitted:
    graph = isolation_graph(forest, median)
    return Fitted("isolation-forest", "anomaly", "onnx", {"model.onnx": graph}, {}, "")


def test_identical_rows_are_as_anomalous_as_expected() -> None:
    x = np.ones((64, 3), np.float32)
    forest = IsolationForest(n_estimators=5, random_state=1).fit(signed_log(x))
    scores = raw_scores(_fitted(forest, x[0]), x)
    assert scores.tolist() == pytest.approx([0.5] * 64, abs=1e-7)


def test_one_feature_is_enough() -> None:
    x = np.random.default_rng(2).lognormal(1, 2, (300, 1)).astype(np.float32)
    forest = IsolationForest(n_estimators=10, random_state=1).fit(signed_log(x))
    native = -forest.score_samples(signed_log(x))
    assert np.abs(raw_scores(_fitted(forest, x[0]), x) - native).max() < 1e-6


def test_missing_goes_the_way_of_the_median() -> None:
    rng = np.random.default_rng(3)
    x = rng.lognormal(2, 2, (500, 6)).astype(np.float32)
    forest = IsolationForest(n_estimators=30, random_state=1).fit(signed_log(x))
    median = np.median(x, axis=0).astype(np.float32)
    fitted = _fitted(forest, median)
    absent = rng.random(x.shape) < 0.3
    missing = np.where(absent, np.float32(np.nan), x)
    filled = np.where(absent, median, x)
    assert np.array_equal(raw_scores(fitted, missing), raw_scores(fitted, filled))
