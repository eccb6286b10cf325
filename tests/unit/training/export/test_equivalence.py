"""Exported models score like the fitted ones, missing values included."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import xgboost as xgb
from sklearn.tree import DecisionTreeClassifier

from models.artifact import LINEAR_FILE, TREES_FILE
from models.linear import LinearContributions, signed_log
from models.trees import TreeContributions
from training.config import (
    IsolationForestConfig,
    LogisticConfig,
    RandomForestConfig,
    XGBoostConfig,
)
from training.export.scoring import raw_scores
from training.export.trees import float32_at_most, leaf_share
from training.fit.variants import isolation_forest, logistic, random_forest
from training.fit.variants import xgboost as boosted
from training.fit.variants.boosting import boost
from training.sets.sample import Sample

FEATURES = 12
CATEGORICAL = (3, 7)


def _values(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.lognormal(1, 2, (n, FEATURES)).astype(np.float32)
    x[:, 1] = rng.normal(0, 30, n)
    for column in CATEGORICAL:
        x[:, column] = rng.integers(0, 9, n)
    x[:, 5] = rng.integers(0, 4, n)  # many equal values: thresholds lie between them
    x[rng.random(x.shape) < 0.15] = np.nan
    x[:5] = np.nan
    return x


@pytest.fixture(scope="module")
def sample() -> Sample:
    x = _values(4000, 1)
    rng = np.random.default_rng(2)
    log_odds = np.nan_to_num(np.log1p(x[:, 0])) + 2 * (x[:, 3] == 4) + np.isnan(x[:, 8]) - 5
    y = (rng.random(4000) < 1 / (1 + np.exp(-log_odds))).astype(np.float32)
    for column in (x, y):
        column.setflags(write=False)  # as rows in Ray's object store are
    return Sample(
        x_train=x[:3000],
        y_train=y[:3000],
        weight_train=np.ones(3000, np.float32),
        x_validation=x[3000:],
        y_validation=y[3000:],
        feature_names=tuple(f"f{i}" for i in range(FEATURES)),
        categorical=CATEGORICAL,
    )


def _unseen() -> np.ndarray:
    """Rows unlike those that models were fitted on: many NaN, huge values, all missing."""
    x = _values(2000, 3)
    x[10:20, 0] = 1e30
    x[20:30, 1] = -1e30
    return x


def test_xgboost_graph_scores_like_the_booster(sample: Sample) -> None:
    config = XGBoostConfig(rounds=60, threads=1)
    booster = boost(sample, slice(None), config, 5).best()
    fitted = boosted.fitted_of(booster, config, 5)
    x = _unseen()
    native = booster.predict(xgb.DMatrix(x))
    assert np.abs(raw_scores(fitted, x) - native).max() < 1e-6
    again = xgb.Booster()
    again.load_model(bytearray(fitted.files["model.ubj"]))
    assert np.array_equal(again.predict(xgb.DMatrix(x)), native)


def test_xgboost_contributions_are_those_of_the_booster(sample: Sample) -> None:
    config = XGBoostConfig(rounds=60, threads=1)
    booster = boost(sample, slice(None), config, 5).best()
    fitted = boosted.fitted_of(booster, config, 5)
    x = _unseen()[:200]
    added = TreeContributions.from_bytes(fitted.files[TREES_FILE], FEATURES)(x)
    expected = booster.predict(xgb.DMatrix(x), pred_contribs=True)[:, :-1]
    assert np.abs(added - expected).max() < 1e-5


def test_xgboost_thresholds_are_strict(sample: Sample) -> None:
    config = XGBoostConfig(rounds=40, threads=1)
    booster = boost(sample, slice(None), config, 5).best()
    fitted = boosted.fitted_of(booster, config, 5)
    # Rows that lie on thresholds: x < t sends them right.
    cuts = booster.trees_to_dataframe().query("Feature != 'Leaf'")
    x = np.repeat(sample.x_validation[:1], len(cuts), axis=0)
    x[np.arange(len(cuts)), [int(f[1:]) for f in cuts.Feature]] = cuts.Split.to_numpy(np.float32)
    native = booster.predict(xgb.DMatrix(x))
    assert np.abs(raw_scores(fitted, x) - native).max() < 1e-6


@pytest.mark.parametrize("splits", ["best", "random"])
def test_random_forest_graph_scores_like_the_forest(
    sample: Sample, splits: Literal["best", "random"]
) -> None:
    config = RandomForestConfig(trees=30, max_leaves=64, splits=splits)
    forest = random_forest.train_forest(sample, config, 5)
    fitted = random_forest.fitted_of(forest, config, 5)
    x = _unseen()
    trees = [estimator.tree_ for estimator in forest.estimators_]
    native = np.mean([leaf_share(tree)[tree.apply(x)] for tree in trees], axis=0)
    assert np.abs(raw_scores(fitted, x) - native).max() < 1e-6
    assert np.abs(native - forest.predict_proba(x)[:, 1]).max() < 0.1


def test_a_leaf_is_surer_with_more_rows() -> None:
    x = np.arange(8, dtype=np.float32).reshape(-1, 1)
    fraud = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    tree = DecisionTreeClassifier(max_depth=1).fit(x, fraud).tree_
    # 6 of 6 genuine, 2 of 2 fraud, and to each a quarter of a fraud in one row more.
    assert leaf_share(tree)[tree.apply(x[[0, 7]])].tolist() == pytest.approx([0.25 / 7, 2.25 / 3])
    doubled = DecisionTreeClassifier(max_depth=1).fit(x, fraud, sample_weight=np.full(8, 2.0)).tree_
    assert leaf_share(doubled).tolist() == pytest.approx(leaf_share(tree).tolist())


@pytest.mark.parametrize(
    "config",
    [
        LogisticConfig(),
        LogisticConfig(steps=False),
        LogisticConfig(scaling="robust", steps=False, squares=True, fraud_weight=5),
    ],
)
def test_logistic_graph_scores_like_the_regression(sample: Sample, config: LogisticConfig) -> None:
    columns, model = logistic.train_logistic(sample, config, 5)
    fitted = logistic.fitted_of(columns, model, FEATURES, config, 5)
    x = _unseen()
    # Rows that lie on edges: they are not above.
    x[100 : 100 + columns.edge.size, columns.stepped] = columns.edge
    native = model.predict_proba(columns.transform(x))[:, 1]
    assert np.abs(raw_scores(fitted, x) - native).max() < 1e-6
    assert columns.coded.size == 18
    assert columns.missing.size == FEATURES
    numeric = FEATURES - len(CATEGORICAL)
    assert (columns.stepped.size > 5 * numeric) == config.steps
    width = (1 + config.squares) * numeric + columns.stepped.size + FEATURES + 18
    assert columns.transform(x).shape == (len(x), width)


def test_logistic_contributions_add_up_to_what_the_graph_scores(sample: Sample) -> None:
    fitted = logistic.fit(sample, LogisticConfig(), 5)
    added = LinearContributions.from_bytes(fitted.files[LINEAR_FILE], FEATURES)
    x = _unseen()
    score = raw_scores(fitted, x).astype(np.float64)
    sure = (score > 1e-4) & (score < 1 - 1e-4)
    constant = (np.log(score / (1 - score)) - added(x).sum(axis=1))[sure]
    assert sure.sum() > 50
    assert np.ptp(constant) < 0.01
    assert np.abs(np.average(added(sample.x_train), 0, sample.weight_train)).max() < 1e-3


def test_isolation_graph_scores_like_the_imputed_forest(sample: Sample) -> None:
    config = IsolationForestConfig(trees=50, sample_rows=256)
    forest, median = isolation_forest.train_isolation(sample, config, 5)
    fitted = isolation_forest.fitted_of(forest, median, config, 5)
    x = _unseen()
    native = -forest.score_samples(signed_log(np.where(np.isnan(x), median, x)))
    scores = raw_scores(fitted, x)
    assert np.abs(scores - native).max() < 1e-7
    assert scores.min() > 0
    assert scores.max() <= 1


def test_isolation_takes_a_column_that_is_never_known(sample: Sample) -> None:
    x = sample.x_train.copy()
    x[:, 2] = np.nan
    blind = Sample(
        x,
        sample.y_train,
        sample.weight_train,
        x[:100],
        sample.y_train[:100],
        sample.feature_names,
        CATEGORICAL,
    )
    assert np.isfinite(raw_scores(isolation_forest.fit(blind, IsolationForestConfig(), 1), x)).all()
    assert np.isfinite(raw_scores(logistic.fit(blind, LogisticConfig(), 1), x)).all()


@pytest.mark.parametrize("variant", ["xgboost", "random-forest", "logistic", "isolation-forest"])
def test_same_seed_gives_the_same_bytes(sample: Sample, variant: str) -> None:
    quick = XGBoostConfig(rounds=10)
    fits = {
        "xgboost": lambda: boosted.fitted_of(boost(sample, slice(None), quick, 9).best(), quick, 9),
        "random-forest": lambda: random_forest.fit(sample, RandomForestConfig(trees=5), 9),
        "logistic": lambda: logistic.fit(sample, LogisticConfig(), 9),
        "isolation-forest": lambda: isolation_forest.fit(sample, IsolationForestConfig(), 9),
    }
    assert fits[variant]().files == fits[variant]().files


def test_one_row_scores_as_it_does_among_many(sample: Sample) -> None:
    fitted = random_forest.fit(sample, RandomForestConfig(trees=20), 5)
    x = _unseen()[:50]
    alone = np.concatenate([raw_scores(fitted, x[i : i + 1]) for i in range(50)])
    assert np.abs(alone - raw_scores(fitted, x)).max() < 1e-6


def test_float32_at_most_never_moves_a_row_across() -> None:
    rng = np.random.default_rng(0)
    threshold = rng.normal(0, 100, 10_000)
    rounded = float32_at_most(threshold)
    assert (rounded.astype(np.float64) <= threshold).all()
    after = np.nextafter(rounded, np.float32(np.inf), dtype=np.float32)
    assert (after.astype(np.float64) > threshold).all()
