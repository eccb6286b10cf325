from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deployments.scorer import Scorer
from fraud.artifact import read_manifest, version_of
from training.artifacts import place, point_alias, staging, write_artifact
from training.calibrate import anomaly_knots, calibrated, probability_knots
from training.config import IsolationForestConfig, LogisticConfig, RandomForestConfig, XGBoostConfig
from training.export.scoring import raw_scores
from training.sample import Sample
from training.schema import FeatureSchema
from training.variants import isolation_forest, logistic, random_forest
from training.variants import xgboost as boosted
from training.variants.fitted import Fitted

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
        booster = boosted.train_booster(sample, slice(None), config, 1, [])
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
    assert scorer.explains == (variant == "xgboost")
    assert _write(tmp_path / "b", _fit(variant, sample), sample) == digest


def test_a_placed_artifact_is_whole_and_stays(tmp_path: Path, sample: Sample) -> None:
    fitted = _fit("logistic", sample)
    root = tmp_path / "artifacts"
    for _ in range(2):
        with staging(root) as stage:
            digest = _write(stage / "logistic", fitted, sample)
            folder = place(stage / "logistic", root, "logistic", digest)
    assert folder == root / "logistic" / version_of(digest)
    read_manifest(folder, digest)
    assert [p.name for p in root.iterdir()] == ["logistic"]
    (folder / "model.onnx").write_bytes(b"damaged")
    with staging(root) as stage:
        _write(stage / "logistic", fitted, sample)
        place(stage / "logistic", root, "logistic", digest)
    read_manifest(folder, digest)


def test_an_alias_is_replaced_in_one_step(tmp_path: Path) -> None:
    for digest in ("a" * 64, "b" * 64):
        point_alias(tmp_path, "logistic", digest)
    folder = tmp_path / "logistic" / "aliases"
    assert [p.name for p in folder.iterdir()] == ["champion.json"]
    alias = json.loads((folder / "champion.json").read_text())
    assert alias == {"version": "b" * 12, "digest": "b" * 64}
