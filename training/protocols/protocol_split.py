"""One train and test split of an evaluation protocol, and the figures of our models on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraud.methods.registry import document_of
from fraud.payment.batch import Int64
from training.config import TrainConfig
from training.fit.crossfit import Fit, crossfit
from training.fit.fitted_run import FittedRun
from training.fit.plan_fit import calibrate_models, fit_and_score_plan
from training.fit.scores import ENSEMBLE, SplitScores
from training.metrics.bootstrap import intervals
from training.metrics.cases import cases
from training.metrics.metrics import Gauge
from training.sets.dataset import Dataset
from training.sets.split import FRAUD, Bounds, Split

FitProgress = Callable[[int, int], None]
"""Called with the fits done and the total."""


@dataclass(frozen=True, slots=True)
class ProtocolSplit:
    """A split.

    Attributes:
        name, title: for the JSON and for the table.
        train, test: int64[n] row numbers, rising, all labelled; every training row is earlier
            than every test row, and its label was known by the first of them.
        config: what is fitted.
    """

    name: str
    title: str
    train: Int64
    test: Int64
    config: TrainConfig


@dataclass(frozen=True, slots=True)
class SplitResult:
    """The result of a split.

    Attributes:
        models: variant or `ensemble` -> figures on the test rows.
        intervals: the same -> figure -> (low, high) of 95 % of resamples.
        rows, frauds: of `train` and `test`, and of `held_back`: the rows that were held back in
            turn, for choices and calibration.
        choices: see `FittedRun.choices`.
        plan: weights and combining method.
        beside_plan: see `PlanFit.figures`.
        seconds: wall time.
    """

    models: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    rows: dict[str, int]
    frauds: dict[str, int]
    choices: dict[str, Any]
    plan: dict[str, Any]
    beside_plan: dict[str, float]
    seconds: float


def run_split(dataset: Dataset, of: ProtocolSplit, fit: Fit, progress: FitProgress) -> SplitResult:
    """Cross-fit on the training rows, fit on all of them, measure on the test rows.

    Nothing is chosen or fitted on the test rows.
    """
    started = time.monotonic()
    found = crossfit(dataset, of.train, of.config, fit, progress)
    split = split_of(dataset, of, found.rows)
    models = calibrate_models(found.models, dataset, split, found.raw)
    plan_fit = fit_and_score_plan(models, dataset, split, of.config)
    fitted_run = FittedRun(dataset, split, of.config, models, plan_fit)
    rows, frauds = _counts(dataset, split)
    plan = plan_fit.plan
    return SplitResult(
        models={**{n: model.metrics for n, model in models.items()}, ENSEMBLE: plan_fit.metrics},
        intervals=_intervals(plan_fit.scores, of.config),
        rows=rows,
        frauds=frauds,
        choices=fitted_run.choices(),
        plan={
            **document_of(plan.ensemble.method),
            "weights": {m.variant: m.weight for m in plan.ensemble.members},
        },
        beside_plan=plan_fit.figures(),
        seconds=round(time.monotonic() - started, 1),
    )


def split_of(dataset: Dataset, of: ProtocolSplit, held: Int64) -> Split:
    """As a training splits, with the rows `held` that were held back in turn."""
    return Split(
        train=of.train,
        validation=held,
        calibration=held,
        test=of.test,
        bounds=_bounds(dataset, of, held),
        shared=True,
    )


def _bounds(dataset: Dataset, of: ProtocolSplit, held: Int64) -> Bounds:
    at = dataset.timestamp_ms

    def span(rows: Int64) -> tuple[int, int]:
        return int(at[rows[0]]), int(at[rows[-1]]) + 1

    return Bounds(int(at[0]), *span(of.train), *span(held), *span(held), *span(of.test))


def _counts(dataset: Dataset, split: Split) -> tuple[dict[str, int], dict[str, int]]:
    parts = {"train": split.train, "held_back": split.validation, "test": split.test}
    frauds = {name: int((dataset.label[r] == FRAUD).sum()) for name, r in parts.items()}
    return {name: int(r.size) for name, r in parts.items()}, frauds


def _intervals(
    scores: SplitScores, config: TrainConfig
) -> dict[str, dict[str, tuple[float, float]]]:
    test = scores.test
    on = cases(test.fraud, test.customer_id, test.timestamp_ms)
    gauges = {
        name: Gauge(score, on, name in scores.probabilities) for name, score in test.scores.items()
    }
    found = intervals(gauges, on.n_clusters, config.report.resamples, config.seed)
    return {
        name: {figure: (round(i.low, 6), round(i.high, 6)) for figure, i in figures.items()}
        for name, figures in found.items()
    }


def mean_figures(results: list[SplitResult]) -> dict[str, dict[str, float]]:
    """The mean of each figure of each model over results that all have it."""
    first = results[0].models
    return {
        name: {
            figure: round(float(np.mean([o.models[name][figure] for o in results])), 9)
            for figure in figures
            if all(figure in o.models[name] for o in results)
        }
        for name, figures in first.items()
    }
