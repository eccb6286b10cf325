"""A fitted model that is too good to be true is refused, with the columns behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from training.config import TrainConfig
from training.finding import LeakFound, settle
from training.fit.fitted_run import FittedRun
from training.fit.plan_fit import PlanFit
from training.fit.scores import ENSEMBLE, ScoredPart, SplitScores
from training.guard.fitted_models import inspect_models
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS, Bounds, Split

N = 6_000
NAMES = ("amount", "half_a", "half_b", "age")


def fitted_run(share: float, frauds: int = 120) -> FittedRun:
    """A model whose score is the label for a share of the frauds, through two columns that each
    hold half of it."""
    rng = np.random.default_rng(4)
    label = np.zeros(N, np.int8)
    label[rng.choice(N, frauds, replace=False)] = 1
    known = (label == 1) & (rng.random(N) < share)
    mask = rng.random(N) < 0.5
    values = np.stack(
        [
            rng.lognormal(3, 1, N),
            np.where(known & mask, 1.0, 0.0) + rng.normal(0, 0.05, N),
            np.where(known & ~mask, 1.0, 0.0) + rng.normal(0, 0.05, N),
            rng.normal(40, 9, N),
        ],
        axis=1,
    ).astype(np.float32)
    at_ms = 1_700_000_000_000 + np.arange(N) * DAY_MS // 100
    data = Dataset(
        values, label, at_ms, at_ms, None, values[:, 0].astype(float), {},
        FeatureSchema.tabular(NAMES, []),
    )  # fmt: skip
    score = np.clip(0.98 * known + rng.uniform(0, 0.01, N), 0, 1)
    rows = np.arange(N)
    part = ScoredPart.of(data, rows, {ENSEMBLE: score, "xgboost": score})
    evaluated = SplitScores(part, part, part, frozenset((ENSEMBLE, "xgboost")))
    plan = Plan(
        "p", 1, Ensemble((Member("xgboost", 1.0),), Thresholds(0.3, 0.4, 0.5), kind="single")
    )
    plan_fit = PlanFit(plan, None, None, {}, (), {}, None, None, evaluated)  # type: ignore[arg-type]
    split = Split(rows, rows, rows, rows, Bounds(*range(9)))
    return FittedRun(data, split, TrainConfig(), {}, plan_fit)


def test_nearly_perfect_is_refused_with_the_columns_that_make_it_so() -> None:
    (finding,) = inspect_models(fitted_run(1.0), seed=1)
    assert (finding.severity, finding.code) == ("refuse", "too-good")
    assert set(finding.columns) == {"half_a", "half_b"}
    assert "honest only if half_" in finding.sentence
    with pytest.raises(LeakFound, match=r"too good to be true.*\[honest\] \(half_"):
        settle([finding], ())


def test_it_is_let_through_where_all_columns_behind_it_are_declared_honest() -> None:
    (finding,) = inspect_models(fitted_run(1.0), seed=1)
    with pytest.raises(LeakFound):
        settle([finding], (), {"half_a": "known"})
    (told,) = settle([finding], (), {"half_a": "asked before", "half_b": "as half_a"})
    assert told.severity == "warn"
    assert told.allowed
    assert "asked before" in told.sentence
    assert "as half_a" in told.sentence


@pytest.mark.parametrize("share", [0.9, 0.6])
def test_a_good_model_passes(share: float) -> None:
    assert inspect_models(fitted_run(share), seed=1) == []


def test_on_a_few_frauds_a_model_may_be_lucky() -> None:
    assert inspect_models(fitted_run(1.0, frauds=12), seed=1) == []


def test_chance_is_no_leak() -> None:
    run = fitted_run(0.9)
    rng = np.random.default_rng(0)
    test = run.plan_fit.scores.test
    blind = replace(test, scores={name: rng.random(N) for name in test.scores})
    models = replace(run.plan_fit, scores=replace(run.plan_fit.scores, test=blind))
    assert inspect_models(replace(run, plan_fit=models), seed=1) == []
