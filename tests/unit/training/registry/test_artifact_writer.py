from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.scoring.scorer import Scorer
from training.config import IsolationForestConfig, LogisticConfig, RandomForestConfig, XGBoostConfig
from training.export.fitted import Fitted
from training.export.scoring import raw_scores
from training.fit.calibrate import anomaly_knots, calibrated, probability_knots
from training.fit.variants import isolation_forest, logistic, random_forest
from training.fit.variants import xgboost as boosted
from training.fit.variants.boosting import boost
from training.registry.artifact_writer import write_artifact
from training.sets.sample import Sample
from training.sets.schema import FeatureSchema

SCHEMA = "0123456789ab"
COLUMNS = FeatureSchema(SCHEMA, tuple("abcdef"), ())


@pytest.fixture(scope="module")
def sample() -> Sample:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) + rng.normal(size=1500) > 1.5).astype(np.float32)
    return Sample(x, y, np.ones(1500, np.float32), x, y, tuple("abcdef"), ())


def _fit(variant: str, sample: Sample) -> Fitted:
    if variant == "xgboost":
        config = XGBoostConfig(rounds=10)
        booster = boost(sample, slice(None), config, 1).best()
        return boosted.fitted_of(booster, config, 1)
    if variant == "random-forest":
        return random_forest.fit(sample, RandomForestConfig(trees=5), 1)
    if variant == "logistic":
        return logistic.fit(sample, LogisticConfig(), 1)
    return isolation_forest.fit(sample, IsolationForestConfig(trees=10), 1)


def _write(folder: Path, fitted: Fitted, sample: Sample) -> str:
    raw = raw_scores(fitted, sample.x_train)
    supervised = fitted.family == "supervised"
    knots = probability_knots(raw, sample.y_train) if supervised else anomaly_knots(raw)
    golden = (sample.x_train[:20], raw[:20], calibrated(raw[:20], knots))
    return write_artifact(
        folder, fitted, schema=COLUMNS, knots=knots, golden=golden, metrics={}, training={}
    )


@pytest.mark.parametrize("variant", ["xgboost", "random-forest", "logistic", "isolation-forest"])
def test_serving_takes_what_training_writes(tmp_path: Path, sample: Sample, variant: str) -> None:
    fitted = _fit(variant, sample)
    digest = _write(tmp_path / "a", fitted, sample)
    scorer = Scorer.load(tmp_path / "a", digest, SCHEMA)
    manifest = scorer.manifest
    expected = calibrated(raw_scores(fitted, sample.x_train), manifest.calibration)
    assert np.abs(scorer.score(sample.x_train, SCHEMA) - expected).max() < 1e-5
    assert scorer.explains == (variant in ("xgboost", "logistic"))
    assert _write(tmp_path / "b", _fit(variant, sample), sample) == digest
