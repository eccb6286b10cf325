"""The full evaluation of a training run's models on its test part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraud.payment.batch import Float32, Float64
from training.config import ReportConfig
from training.evaluate.baselines import ONE_RULE, OneRule, one_rule, single_column_precision
from training.evaluate.breakdown import Breakdown, Slice
from training.evaluate.effects import Effect, effect
from training.evaluate.importance import (
    BoostedImportance,
    ExplainedRows,
    PermutationDrop,
    Scorer,
    boosted_importance,
    draw_rows,
    permutation_drops,
)
from training.export.scoring import raw_scores
from training.fit.calibrate import calibrated
from training.fit.ensemble import ensemble_probability
from training.fit.fitted_run import FittedRun
from training.fit.scores import ENSEMBLE
from training.metrics.bootstrap import Interval, intervals
from training.metrics.calibration import CalibrationBins
from training.metrics.metrics import Gauge, rounded
from training.metrics.ranking import Steps
from training.metrics.reliability import Reliability, reliability


@dataclass(frozen=True, slots=True)
class Explanation:
    """The importance and effects of features on the ensemble.

    Attributes:
        drops: loss of average precision without each of the strongest columns, largest first; ()
            with too few frauds.
        boosted: importance inside XGBoost; None if it was not trained.
        effects: of the columns with the largest loss.
        rows, frauds: of the sample of the test part on which all of this was measured.
    """

    drops: tuple[PermutationDrop, ...]
    boosted: BoostedImportance | None
    effects: tuple[Effect, ...]
    rows: int
    frauds: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The evaluation of a training run.

    Attributes:
        models: model -> figures on the test part: every variant, `ensemble`, and `one-rule` if a
            column is numeric.
        intervals: model -> figure -> 95 % interval.
        weeks: of the test part, in order.
        segments: field -> slices by its values.
        one_rule: the best single column of the validation part.
        curves: model -> the fraud found by reviewing from the top down.
        calibration_bins: model -> bins, for models whose scores are probabilities.
        reliability: model -> predicted against observed fraud, for the same models.
        probability, fraud: float64[n], the ensemble's probability and the labels of the test part.
        explanation: importance and effects of features; None if not configured.
        clusters: number and kind of resampled clusters: `customer`, `day`, `hour` or `payment`.
        resamples: number of resamples.
    """

    models: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, Interval]]
    weeks: tuple[Slice, ...]
    segments: dict[str, tuple[Slice, ...]]
    one_rule: OneRule | None
    curves: dict[str, Steps]
    calibration_bins: dict[str, CalibrationBins]
    reliability: dict[str, Reliability]
    probability: Float64
    fraud: Float64
    explanation: Explanation | None
    clusters: tuple[int, str]
    resamples: int

    def bounds(self, model: str) -> dict[str, float]:
        """The ends of the intervals of a model's figures: `<figure>_low`, `<figure>_high`."""
        ends: dict[str, float] = {}
        for figure, interval in self.intervals.get(model, {}).items():
            ends[f"{figure}_low"], ends[f"{figure}_high"] = interval.low, interval.high
        return rounded(ends)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready: intervals as pairs, weeks and segments by model, the one rule in words."""
        return {
            "intervals": {
                model: {name: [i.low, i.high] for name, i in rounded_intervals(found).items()}
                for model, found in self.intervals.items()
            },
            "weeks": [_slice_document(week) for week in self.weeks],
            "segments": {
                name: [_slice_document(value) for value in values]
                for name, values in self.segments.items()
            },
            "said_seen": {model: found.document() for model, found in self.reliability.items()},
            "one_rule": None if self.one_rule is None else self.one_rule.sentence(),
            "resampled": {
                "clusters": self.clusters[0],
                "of": self.clusters[1],
                "resamples": self.resamples,
            },
        }


def rounded_intervals(found: Mapping[str, Interval]) -> dict[str, Interval]:
    """Intervals rounded as in reports."""
    return {n: Interval(round(i.low, 9), round(i.high, 9)) for n, i in found.items()}


def _slice_document(part: Slice) -> dict[str, Any]:
    return {
        "name": part.name,
        "rows": part.rows,
        "frauds": part.frauds,
        "too_few_frauds": part.too_few,
        "models": part.models,
        "intervals": {
            model: {"average_precision": [round(i.low, 9), round(i.high, 9)]}
            for model, i in part.intervals.items()
        },
    }


def evaluate_run(fitted_run: FittedRun, config: ReportConfig) -> Evaluation:
    """Evaluate every model of a run, and the rule of one column, on its test part."""
    test, seed = fitted_run.plan_fit.scores.test, fitted_run.config.seed
    probabilities = fitted_run.plan_fit.scores.probabilities
    of, scores = test.cases(), dict(test.scores)
    rule = _rule(fitted_run)
    if rule is not None:
        scores[ONE_RULE] = rule.score(fitted_run.dataset.values[test.rows])
    gauges = {n: Gauge(score, of, n in probabilities) for n, score in scores.items()}
    models = {name: rounded(gauge.figures()) for name, gauge in gauges.items()}
    models[ENSEMBLE] |= fitted_run.plan_fit.metrics
    cuts = Breakdown(scores, of, probabilities, (ENSEMBLE,), config.resamples, seed)
    bins = {name: gauge.calibration_bins() for name, gauge in gauges.items()}
    return Evaluation(
        models=models,
        intervals=intervals(gauges, of.n_clusters, config.resamples, seed),
        weeks=cuts.by_week(),
        segments=cuts.by_segment(),
        one_rule=rule,
        curves={name: gauge.steps() for name, gauge in gauges.items()},
        calibration_bins={name: found for name, found in bins.items() if found is not None},
        reliability={
            name: reliability(score, of.fraud, of.cluster, seed)
            for name, score in scores.items()
            if name in probabilities
        },
        probability=scores[ENSEMBLE],
        fraud=of.fraud,
        explanation=_explanation(fitted_run, config) if config.importance_features else None,
        clusters=(of.n_clusters, of.cluster_of),
        resamples=config.resamples,
    )


def _rule(fitted_run: FittedRun) -> OneRule | None:
    schema, part = fitted_run.dataset.schema, fitted_run.plan_fit.scores.validation
    if len(schema.categorical) == len(schema.names):
        return None
    values = np.asarray(fitted_run.dataset.values[part.rows])
    try:
        return one_rule(
            values, part.fraud.astype(np.float64), schema.names, schema.categorical,
            fitted_run.config.rates.review, fitted_run.config.seed,
        )  # fmt: skip
    except ValueError:
        return None


def _explanation(fitted_run: FittedRun, config: ReportConfig) -> Explanation:
    test, seed = fitted_run.plan_fit.scores.test, fitted_run.config.seed
    schema = fitted_run.dataset.schema
    labels = test.fraud.astype(np.float64)
    sample = draw_rows(fitted_run.dataset.values, test.rows, labels, config.importance_rows, seed)
    boosted = next(
        (
            boosted_importance(model.fitted.files["model.ubj"], sample)
            for model in fitted_run.models.values()
            if "model.ubj" in model.fitted.files
        ),
        None,
    )
    score = plan_scorer(fitted_run)
    columns = _strongest(boosted, sample, schema.categorical)[: config.importance_features]
    drops = permutation_drops(score, sample, columns, repeats=2, seed=seed)
    top = [drop.column for drop in drops if drop.mean > 0][: config.effects]
    effects = [effect(score, sample, column, column in schema.categorical) for column in top]
    return Explanation(
        drops=drops,
        boosted=boosted,
        effects=tuple(e for e in effects if e is not None),
        rows=len(sample.fraud),
        frauds=int(sample.fraud.sum()),
    )


def _strongest(
    boosted: BoostedImportance | None, sample: ExplainedRows, categorical: tuple[int, ...]
) -> tuple[int, ...]:
    """The columns worth shuffling, by their importance inside XGBoost or else alone."""
    if boosted is not None:
        merit = boosted.contribution
    else:
        alone = single_column_precision(sample.values, sample.fraud, categorical)
        merit = np.nan_to_num(np.fmax(alone[:, 0], alone[:, 1]))
    order = np.argsort(-merit, kind="stable")
    return tuple(int(column) for column in order if merit[column] > 0)


def plan_scorer(fitted_run: FittedRun) -> Scorer:
    """The plan's probability of rows, through the files that will be served."""
    plan = fitted_run.plan_fit.plan

    def score(values: Float32) -> Float64:
        votes = {}
        for name in (member.variant for member in plan.ensemble.members):
            model = fitted_run.models[name]
            votes[name] = calibrated(raw_scores(model.fitted, values), model.calibration.knots)
        return ensemble_probability(plan.ensemble, votes)

    return score
