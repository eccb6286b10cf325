"""A training run on small models, fitted in this process without Ray."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from training.config import TrainConfig
from training.fit.fitted_run import FittedRun
from training.fit.plan_fit import calibrate_models, fit_and_score_plan
from training.fit.variants import isolation_forest, logistic
from training.fit.variants import xgboost as boosted
from training.fit.variants.boosting import boost
from training.sets.dataset import Dataset
from training.sets.sample import draw_sample
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS, split_by_time

NAMES = ("amount", "noise", "night", "category_code", "sometimes")
ROWS, DAYS = 12_000, 60


def made_dataset() -> Dataset:
    """Payments in which fraud is likely for large amounts at night in one category."""
    rng = np.random.default_rng(11)
    values = rng.lognormal(3, 1, (ROWS, len(NAMES))).astype(np.float32)
    values[:, 2] = rng.random(ROWS) < 0.3
    values[:, 3] = rng.integers(0, 4, ROWS)
    values[rng.random(ROWS) < 0.2, 4] = np.nan
    log_odds = 1.6 * np.log(values[:, 0]) + 1.5 * values[:, 2] + 2.0 * (values[:, 3] == 2) - 11
    fraud = rng.random(ROWS) < 1 / (1 + np.exp(-log_odds))
    at = (np.arange(ROWS) * (DAYS * DAY_MS // ROWS)).astype(np.int64) + 1_700_000_000_000
    category = ("food", "fuel", "<b>travel</b>", None)
    return Dataset(
        values=values,
        label=fraud.astype(np.int8),
        known_at_ms=at + DAY_MS,
        timestamp_ms=at,
        customer_id=[f"c{i}" for i in rng.integers(0, 300, ROWS)],
        amount=values[:, 0].astype(np.float64),
        segment={"merchant_category": [category[int(c)] for c in values[:, 3]]},
        schema=FeatureSchema.tabular(NAMES, [3]),
    )


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small arrays: threads of BLAS cost more than they save, above all on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def fitted_run() -> FittedRun:
    config = TrainConfig.model_validate(
        {
            "variants": ["xgboost", "logistic", "isolation-forest"],
            "xgboost": {"rounds": 30},
            "isolation_forest": {"trees": 10, "sample_rows": 64},
            "split": {"warmup_days": 2, "gap_days": 1, "test_fraction": 0.3},
            "report": {"resamples": 40, "importance_rows": 600, "effects": 4},
        }
    )
    dataset = made_dataset()
    split = split_by_time(dataset.timestamp_ms, dataset.label, dataset.known_at_ms, config.split)
    sample = draw_sample(
        dataset.values, dataset.label, split.train, split.validation, dataset.schema, 10_000, 7
    )
    booster = boost(sample, slice(None), config.xgboost, 7).best()
    fitted = {
        "xgboost": boosted.fitted_of(booster, config.xgboost, 7),
        "logistic": logistic.fit(sample, config.logistic, 7),
        "isolation-forest": isolation_forest.fit(sample, config.isolation_forest, 7),
    }
    models = calibrate_models(fitted, dataset, split)
    return FittedRun(
        dataset, split, config, models, fit_and_score_plan(models, dataset, split, config)
    )
