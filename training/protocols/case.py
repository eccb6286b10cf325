"""One train and test split of a protocol, and what our models make of it."""

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
from training.fit.evaluated import ENSEMBLE, Evaluated
from training.fit.plan_fit import judge_ensemble, judge_variants
from training.fit.trained import Trained
from training.metrics.bootstrap import intervals
from training.metrics.cases import cases
from training.metrics.metrics import Gauge
from training.sets.dataset import Dataset
from training.sets.split import FRAUD, Bounds, Split

Told = Callable[[str, int, int], None]
"""Told the case, fits done and fits in all."""


@dataclass(frozen=True, slots=True)
class Case:
    """A split.

    Attributes:
        name, title: in the JSON and in the table.
        train, test: int64[n] row numbers, rising, all labelled; every training row is earlier
            than every test row, and was labelled by the first of them.
        config: what is fitted.
    """

    name: str
    title: str
    train: Int64
    test: Int64
    config: TrainConfig


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        models: variant or `ensemble` -> figures on the test rows.
        intervals: the same -> figure -> (low, high) of 95 % of resamples.
        rows, frauds: of `train` and `test`, and of `held_back`: those that took turns in choosing
            and calibrating.
        choices: see `Trained.choices`.
        plan: weights and combining method.
        seconds: it took.
    """

    models: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    rows: dict[str, int]
    frauds: dict[str, int]
    choices: dict[str, Any]
    plan: dict[str, Any]
    seconds: float


def run_case(dataset: Dataset, case: Case, fit: Fit, told: Told) -> Outcome:
    """Cross-fit on the training rows, fit on all of them, judge on the test rows.

    Nothing of the test rows is looked at before the figures are drawn.
    """
    started = time.monotonic()
    found = crossfit(dataset, case.train, case.config, fit, lambda n, of: told(case.name, n, of))
    split = Split(
        train=case.train,
        validation=found.rows,
        calibration=found.rows,
        test=case.test,
        bounds=_bounds(dataset, case, found.rows),
        shared=True,
    )
    judged = judge_variants(found.models, dataset, split, found.raw)
    judgement = judge_ensemble(judged, dataset, split, case.config)
    models = {name: model.metrics for name, model in judged.items()}
    trained = Trained(dataset, split, case.config, judged, judgement)
    rows, frauds = _counts(dataset, split)
    plan = judgement.plan
    return Outcome(
        models={**models, ENSEMBLE: judgement.metrics},
        intervals=_intervals(judgement.evaluated, case.config),
        rows=rows,
        frauds=frauds,
        choices=trained.choices(),
        plan={
            **document_of(plan.method),
            "weights": {m.variant: m.weight for m in plan.members},
        },
        seconds=round(time.monotonic() - started, 1),
    )


def _bounds(dataset: Dataset, case: Case, held: Int64) -> Bounds:
    at = dataset.timestamp_ms

    def span(rows: Int64) -> tuple[int, int]:
        return int(at[rows[0]]), int(at[rows[-1]]) + 1

    return Bounds(int(at[0]), *span(case.train), *span(held), *span(held), *span(case.test))


def _counts(dataset: Dataset, split: Split) -> tuple[dict[str, int], dict[str, int]]:
    parts = {"train": split.train, "held_back": split.validation, "test": split.test}
    frauds = {name: int((dataset.label[r] == FRAUD).sum()) for name, r in parts.items()}
    return {name: int(r.size) for name, r in parts.items()}, frauds


def _intervals(
    evaluated: Evaluated, config: TrainConfig
) -> dict[str, dict[str, tuple[float, float]]]:
    test = evaluated.test
    on = cases(test.fraud, test.customer_id, test.timestamp_ms)
    gauges = {
        name: Gauge(score, on, name in evaluated.probabilities)
        for name, score in test.scores.items()
    }
    found = intervals(gauges, on.n_clusters, config.report.resamples, config.seed)
    return {
        name: {figure: (round(i.low, 6), round(i.high, 6)) for figure, i in figures.items()}
        for name, figures in found.items()
    }


def mean_models(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    """Each figure of each model, averaged over outcomes that all have it."""
    first = outcomes[0].models
    return {
        name: {
            figure: round(float(np.mean([o.models[name][figure] for o in outcomes])), 9)
            for figure in figures
            if all(figure in o.models[name] for o in outcomes)
        }
        for name, figures in first.items()
    }
