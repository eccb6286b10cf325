from __future__ import annotations

import numpy as np
import pytest

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.fit.crossfit import cross_split, crossfit, cut, with_held_back
from training.fit.fitted_run import FittedRun, renamed_for_table
from training.fit.in_process import fit_in_process
from training.fit.plan_fit import calibrate_models, fit_and_score_plan
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS, split_by_time

N = 6000
CONFIG = TrainConfig.model_validate(
    {
        "xgboost": {"rounds": 25},
        "random_forest": {"trees": 8, "max_leaves": 32},
        "isolation_forest": {"trees": 8, "sample_rows": 64},
        "cross_fit": {"folds": 3, "label_delay": False},
        "split": {"warmup_days": 0},
    }
)


def _dataset(delay_days: float = 0.0) -> Dataset:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(N, 4)).astype(np.float32)
    odds = 2.0 * values[:, 0] + 1.5 * values[:, 1] * (values[:, 2] > 0) - 4.0
    label = (rng.random(N) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    at_ms = np.sort(rng.integers(0, 60 * DAY_MS, N)) + 1_600_000_000_000
    return Dataset(
        values=values,
        label=label,
        known_at_ms=at_ms + round(delay_days * DAY_MS),
        timestamp_ms=at_ms,
        customer_id=None,
        amount=rng.lognormal(3, 1, N),
        segment={},
        schema=FeatureSchema.tabular(("a", "b", "c", "d"), ()),
    )


def test_each_fold_is_later_than_what_it_is_fitted_on() -> None:
    dataset = _dataset(delay_days=2)
    waits = CONFIG.cross_fit.model_copy(update={"label_delay": True})
    for told, delay_ms in ((CONFIG.cross_fit, 0), (waits, 2 * DAY_MS)):
        config = CONFIG.model_copy(update={"cross_fit": told})
        folds = cut(dataset, np.arange(N), config)
        at = dataset.timestamp_ms
        assert np.concatenate([fold for _, fold in folds]).tolist() == list(range(2400, N))
        for before, fold in folds:
            assert at[before].max() + delay_ms <= at[fold].min()
            assert fold.size == pytest.approx(1200, abs=2)


def test_held_back_scores_are_of_models_that_had_not_seen_the_rows() -> None:
    dataset = _dataset()
    seen: list[int] = []

    def fit(sample, config):
        seen.append(sample.y_train.size)
        return fit_in_process(sample, config)

    told: list[tuple[int, int]] = []
    found = crossfit(dataset, np.arange(N), CONFIG, fit, lambda *t: told.append(t))
    assert seen == [2400, 3600, 4800, N]
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert found.rows.tolist() == list(range(2400, N))
    assert {name: raw.size for name, raw in found.raw.items()} == dict.fromkeys(
        CONFIG.variants, 3600
    )
    rounds = found.models["xgboost"].parameters["trees"]
    assert 1 <= int(rounds) <= 25


def test_a_cross_fitted_run_is_measured_and_named_like_any_other() -> None:
    dataset = _dataset()
    split = split_by_time(dataset.timestamp_ms, dataset.label, dataset.known_at_ms, CONFIG.split)
    wide = cross_split(dataset, split)
    assert wide.train.size == split.train.size + split.validation.size + split.calibration.size
    assert wide.train.max() < split.test.min()
    found = crossfit(dataset, wide.train, CONFIG, fit_in_process)
    final = with_held_back(wide, dataset, found.rows)
    assert final.shared
    models = calibrate_models(found.models, dataset, final, found.raw)
    plan_fit = fit_and_score_plan(models, dataset, final, CONFIG)
    assert plan_fit.metrics["roc_auc"] > 0.85
    assert plan_fit.metrics["calibration_error"] < 0.05
    assert "card_precision_at_100" not in plan_fit.metrics
    assert plan_fit.metrics["average_precision"] >= 0.9 * max(
        model.metrics["average_precision"] for model in models.values()
    )
    fitted_run = renamed_for_table(FittedRun(dataset, final, CONFIG, models, plan_fit), "loans")
    assert fitted_run.plan_fit.plan.variants == (
        "loans-xgboost", "loans-random-forest", "loans-logistic", "loans-isolation-forest",
    )  # fmt: skip
    assert [m.fitted.variant for m in fitted_run.models.values()] == list(fitted_run.models)
    assert fitted_run.choices()["shared_calibration"]
    assert set(fitted_run.plan_fit.scores.test.scores) == {*fitted_run.models, "ensemble"}


def test_too_few_frauds_in_a_fold_are_reported() -> None:
    dataset = _dataset()
    dataset.label[:2400] = 0
    with pytest.raises(NotTrainable, match=r"fewer folds \(cross_fit\.folds\)"):
        cut(dataset, np.arange(N), CONFIG)
