"""Exported models -> calibrated scores, a plan and figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.batch import Float32, Float64, Int64
from fraud.plan import Plan
from training.calibrate import Knots, anomaly_knots, calibrated, probability_knots
from training.config import TrainConfig
from training.dataset import Dataset
from training.ensemble import ensemble_probability, fit_plan
from training.evaluate import evaluate
from training.export.scoring import raw_scores
from training.split import Split
from training.variants.fitted import Fitted

_GOLDEN_SPREAD, _GOLDEN_SPARSE = 24, 4


@dataclass(frozen=True, slots=True)
class Judged:
    """A variant with its calibration and what it came to.

    Attributes:
        knots: `Manifest.calibration`.
        validation, test: float64[n] calibrated scores of each part.
        metrics: figures on the test part.
        golden: features float32[k, n_features], raw scores, calibrated scores.
    """

    fitted: Fitted
    knots: Knots
    validation: Float64
    test: Float64
    metrics: dict[str, float]
    golden: tuple[Float32, Float64, Float64]


def judge_variants(models: dict[str, Fitted], dataset: Dataset, split: Split) -> dict[str, Judged]:
    """Calibrate each variant on the validation part and judge it on the test part, through the
    files that will be served."""
    validation = np.ascontiguousarray(dataset.values[split.validation])
    test = np.ascontiguousarray(dataset.values[split.test])
    fraud = dataset.label[split.validation].astype(np.float32)
    judged = {}
    for name, fitted in models.items():
        raw = raw_scores(fitted, validation)
        supervised = fitted.family == "supervised"
        knots = probability_knots(raw, fraud) if supervised else anomaly_knots(raw)
        scores = calibrated(raw_scores(fitted, test), knots)
        judged[name] = Judged(
            fitted=fitted,
            knots=knots,
            validation=calibrated(raw, knots),
            test=scores,
            metrics=_figures(scores, dataset, split.test, supervised),
            golden=_golden(fitted, knots, validation, raw),
        )
    return judged


def judge_ensemble(
    judged: dict[str, Judged], dataset: Dataset, split: Split, config: TrainConfig
) -> tuple[Plan, dict[str, float]]:
    """Fit the plan on the validation part and judge it on the test part."""
    plan = fit_plan(
        {name: judged[name].validation for name in config.supervised},
        (config.anomaly, judged[config.anomaly].validation) if config.anomaly else None,
        dataset.label[split.validation].astype(np.float32),
        config.rates,
        config.deadline_ms,
    )
    probability = ensemble_probability(plan, {n: judged[n].test for n in config.supervised})
    figures = _figures(probability, dataset, split.test, True)
    for outcome in ("challenge", "review", "block"):
        reached = probability >= getattr(plan.thresholds, outcome)
        figures[f"share_{outcome}"] = round(float(reached.mean()), 9)
    return plan, figures


def _figures(
    scores: Float64, dataset: Dataset, rows: Int64, probabilities: bool
) -> dict[str, float]:
    return evaluate(
        scores,
        dataset.label[rows].astype(np.float32),
        [dataset.customer_id[i] for i in rows],
        dataset.timestamp_ms[rows],
        probabilities,
    )


def _golden(
    fitted: Fitted, knots: Knots, values: Float32, raw: Float64
) -> tuple[Float32, Float64, Float64]:
    """Rows over the whole range of scores, the sparsest ones, and one that knows nothing, which
    is what a model sees when the feature store is down."""
    ranked = np.argsort(raw, kind="stable")
    spread = ranked[np.linspace(0, len(ranked) - 1, min(_GOLDEN_SPREAD, len(ranked))).astype(int)]
    sparse = np.argsort(-np.isnan(values).sum(axis=1), kind="stable")[:_GOLDEN_SPARSE]
    nothing = np.full((1, values.shape[1]), np.nan, np.float32)
    features = np.concatenate([values[spread], values[sparse], nothing])
    scores = raw_scores(fitted, features)
    return features, scores, calibrated(scores, knots)
