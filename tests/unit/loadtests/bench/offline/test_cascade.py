from __future__ import annotations

import numpy as np

from loadtests.bench.offline.cascade import FittedProtocol, report
from tests.unit.training.conftest import made_dataset
from training.config import TrainConfig
from training.fit.fitted_run import FittedRun
from training.fit.plan_fit import calibrate_models, fit_and_score_plan
from training.fit.variants import isolation_forest, logistic, xgboost
from training.fit.variants.boosting import boost
from training.sets.sample import draw_sample
from training.sets.split import split_by_time


def test_it_reports_processor_time_of_both() -> None:
    run = _fitted_run()
    models = {n: (m.fitted, m.calibration.knots) for n, m in run.models.items()}
    values = np.ascontiguousarray(run.dataset.values[run.split.test][:64])
    found = report(FittedProtocol(run.plan_fit, models, values), sizes=(16,))
    us = found["us_a_decision"][16]
    assert us["ensemble"] > 0
    assert us["ratio"] == round(us["cascade"] / us["ensemble"], 3)
    assert 0 < found["test"]["asked"] < 1
    assert set(found["subset_calibration_errors"]) == {s.name for s in run.plan_fit.subsets}


def _fitted_run() -> FittedRun:
    config = TrainConfig.model_validate(
        {
            "variants": ["xgboost", "logistic", "isolation-forest"],
            "combiner": "mean",
            "cascade": {"stages": ["logistic"], "keep": 0.5},
            "isolation_forest": {"trees": 10, "sample_rows": 64},
            "split": {"warmup_days": 2, "gap_days": 1, "test_fraction": 0.3},
        }
    )
    dataset = made_dataset()
    split = split_by_time(dataset.timestamp_ms, dataset.label, dataset.known_at_ms, config.split)
    sample = draw_sample(
        dataset.values, dataset.label, split.train, split.validation, dataset.schema, 10_000, 7
    )
    short = config.xgboost.model_copy(update={"rounds": 10})
    fitted = {
        "xgboost": xgboost.fitted_of(boost(sample, slice(None), short, 7).best(), short, 7),
        "logistic": logistic.fit(sample, config.logistic, 7),
        "isolation-forest": isolation_forest.fit(sample, config.isolation_forest, 7),
    }
    models = calibrate_models(fitted, dataset, split)
    return FittedRun(
        dataset, split, config, models, fit_and_score_plan(models, dataset, split, config)
    )
