"""Everything that can be said of a training run's models on its test part."""

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
    Boosted,
    Drop,
    Sample,
    Scorer,
    boosted_importance,
    permutation_drops,
    sample_of,
)
from training.export.scoring import raw_scores
from training.fit.calibrate import calibrated
from training.fit.ensemble import ensemble_probability
from training.fit.evaluated import ENSEMBLE, Scored
from training.fit.trained import Trained
from training.metrics.bootstrap import Interval, intervals
from training.metrics.calibration import Reliability
from training.metrics.cases import Cases, cases
from training.metrics.metrics import Gauge, rounded
from training.metrics.ranking import Steps
from training.metrics.said_seen import SaidSeen, said_seen


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the ensemble goes by.

    Attributes:
        drops: loss of average precision without each of the strongest columns, largest first; ()
            with too few frauds to tell.
        boosted: what columns do inside XGBoost; None if it was not trained.
        effects: of the columns with the largest loss.
        rows, frauds: of the sample of the test part that all of this was measured on.
    """

    drops: tuple[Drop, ...]
    boosted: Boosted | None
    effects: tuple[Effect, ...]
    rows: int
    frauds: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A training run, judged.

    Attributes:
        models: model -> figures on the test part: every variant, `ensemble`, and `one-rule` where
            some column is a number.
        intervals: model -> figure -> 95 % interval.
        weeks: of the test part, in order.
        segments: what payments are told apart by -> its values.
        one_rule: the best single column of the validation part.
        curves: model -> what reviewing from the top down finds.
        reliability: model -> bins, of those whose scores mean probabilities.
        said: model -> what it said and what was seen, of the same.
        probability, fraud: float64[n] of the ensemble and labels of the test part.
        explanation: what the ensemble goes by; None if it was not asked for.
        clusters: how many were resampled, and of what: `customer`, `day`, `hour` or `payment`.
        resamples: how often.
    """

    models: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, Interval]]
    weeks: tuple[Slice, ...]
    segments: dict[str, tuple[Slice, ...]]
    one_rule: OneRule | None
    curves: dict[str, Steps]
    reliability: dict[str, Reliability]
    said: dict[str, SaidSeen]
    probability: Float64
    fraud: Float64
    explanation: Explanation | None
    clusters: tuple[int, str]
    resamples: int

    def bounds(self, model: str) -> dict[str, float]:
        """Ends of the intervals of a model's figures as figures: `<figure>_low`, `_high`."""
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
            "said_seen": {model: found.document() for model, found in self.said.items()},
            "one_rule": None if self.one_rule is None else self.one_rule.sentence(),
            "resampled": {
                "clusters": self.clusters[0],
                "of": self.clusters[1],
                "resamples": self.resamples,
            },
        }


def rounded_intervals(found: Mapping[str, Interval]) -> dict[str, Interval]:
    """Intervals as they are reported."""
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


def evaluate_run(trained: Trained, config: ReportConfig) -> Evaluation:
    """Judge every model of a run, and a rule of one column beside them, on its test part."""
    test, seed = trained.judgement.evaluated.test, trained.config.seed
    of = cases_of(test)
    scores = {name: model.scores["test"] for name, model in trained.judged.items()}
    scores[ENSEMBLE] = test.scores[ENSEMBLE]
    families = {name: model.fitted.family for name, model in trained.judged.items()}
    probabilities = frozenset(n for n in scores if families.get(n, "supervised") == "supervised")
    rule = _rule(trained)
    if rule is not None:
        scores[ONE_RULE] = rule.score(trained.dataset.values[test.rows])
    gauges = {n: Gauge(score, of, n in probabilities) for n, score in scores.items()}
    models = {name: rounded(gauge.figures()) for name, gauge in gauges.items()}
    models[ENSEMBLE] |= trained.judgement.metrics
    cuts = Breakdown(scores, of, probabilities, (ENSEMBLE,), config.resamples, seed)
    bins = {name: gauge.reliability() for name, gauge in gauges.items()}
    return Evaluation(
        models=models,
        intervals=intervals(gauges, of.n_clusters, config.resamples, seed),
        weeks=cuts.by_week(),
        segments=cuts.by_segment(),
        one_rule=rule,
        curves={name: gauge.steps() for name, gauge in gauges.items()},
        reliability={name: found for name, found in bins.items() if found is not None},
        said={
            name: said_seen(score, of.fraud, of.cluster, seed)
            for name, score in scores.items()
            if name in probabilities
        },
        probability=scores[ENSEMBLE],
        fraud=of.fraud,
        explanation=_explanation(trained, config) if config.importance_features else None,
        clusters=(of.n_clusters, of.cluster_of),
        resamples=config.resamples,
    )


def cases_of(part: Scored) -> Cases:
    """The rows of a part as what models are judged on."""
    return cases(part.fraud, part.customer_id, part.timestamp_ms, part.amount, part.segment)


def _rule(trained: Trained) -> OneRule | None:
    schema, part = trained.dataset.schema, trained.judgement.evaluated.validation
    if len(schema.categorical) == len(schema.names):
        return None
    values = np.asarray(trained.dataset.values[part.rows])
    try:
        return one_rule(
            values, part.fraud.astype(np.float64), schema.names, schema.categorical,
            trained.config.rates.review, trained.config.seed,
        )  # fmt: skip
    except ValueError:
        return None


def _explanation(trained: Trained, config: ReportConfig) -> Explanation:
    test, seed = trained.judgement.evaluated.test, trained.config.seed
    schema = trained.dataset.schema
    labels = test.fraud.astype(np.float64)
    sample = sample_of(trained.dataset.values, test.rows, labels, config.importance_rows, seed)
    boosted = next(
        (
            boosted_importance(model.fitted.files["model.ubj"], sample)
            for model in trained.judged.values()
            if "model.ubj" in model.fitted.files
        ),
        None,
    )
    score = ensemble_scorer(trained)
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
    boosted: Boosted | None, sample: Sample, categorical: tuple[int, ...]
) -> tuple[int, ...]:
    """Columns worth shuffling, those that do most first: inside XGBoost, or else alone."""
    if boosted is not None:
        merit = boosted.contribution
    else:
        alone = single_column_precision(sample.values, sample.fraud, categorical)
        merit = np.nan_to_num(np.fmax(alone[:, 0], alone[:, 1]))
    order = np.argsort(-merit, kind="stable")
    return tuple(int(column) for column in order if merit[column] > 0)


def ensemble_scorer(trained: Trained) -> Scorer:
    """What the plan makes of rows, through the files that will be served."""
    plan = trained.judgement.plan

    def score(values: Float32) -> Float64:
        votes = {}
        for name in (member.variant for member in plan.members):
            model = trained.judged[name]
            votes[name] = calibrated(raw_scores(model.fitted, values), model.calibration.knots)
        return ensemble_probability(plan, votes)

    return score
