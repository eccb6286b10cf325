"""Exported models -> calibrated scores, a plan and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from training.config import TrainConfig
from training.export.fitted import Fitted
from training.export.scoring import raw_scores
from training.fit.calibrate import CalibrationFit, anomaly_fit, calibrated, fit_calibration
from training.fit.costs import priced, total_price
from training.fit.ensemble import Ballot, Combiner, ensemble_probability, fit_plan
from training.fit.evaluated import ENSEMBLE, Evaluated, Scored, scored
from training.metrics.cases import cases
from training.metrics.metrics import evaluate
from training.metrics.paired import Difference, paired_difference
from training.sets.dataset import Dataset
from training.sets.split import Split

_GOLDEN_SPREAD, _GOLDEN_SPARSE = 24, 4
_PARTS = ("validation", "calibration", "test")


@dataclass(frozen=True, slots=True)
class Judged:
    """A variant with its calibration and what it came to.

    Attributes:
        calibration: the map to what is served, and how it was chosen.
        scores: part -> float64[n] calibrated scores of its rows.
        metrics: figures on the test part.
        golden: features float32[k, n_features], raw scores, calibrated scores.
    """

    fitted: Fitted
    calibration: CalibrationFit
    scores: dict[str, Float64]
    metrics: dict[str, float]
    golden: tuple[Float32, Float64, Float64]


@dataclass(frozen=True, slots=True)
class Beside:
    """Average precision on the test part.

    Attributes:
        together, alone: of the ensemble and of its best member.
        difference: of the two with its paired 95 % interval; None with too few frauds.
    """

    together: float
    alone: float
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The plan and what it came to.

    Attributes:
        plan: see `fit_plan`.
        combiner, calibration: how the plan's combiner and calibration were chosen.
        metrics: figures of the plan on the test part.
        beside: the fitted ensemble beside its best member on the test part, whichever of them the
            plan is; None of a single voter.
        evaluated: every model's scores on every part that was held back.
    """

    plan: Plan
    combiner: Combiner
    calibration: CalibrationFit
    metrics: dict[str, float]
    beside: Beside | None
    evaluated: Evaluated


def judge_variants(
    models: dict[str, Fitted],
    dataset: Dataset,
    split: Split,
    held_back: Mapping[str, Float64] | None = None,
) -> dict[str, Judged]:
    """Calibrate each variant on the calibration part and judge it on the test part, through the
    files that will be served.

    Args:
        held_back: variant -> float64[n] raw scores of the validation part, which is the
            calibration part too, by models that had not seen it; None: `models` have not.
    """
    parts = split.parts()
    values = {part: np.ascontiguousarray(dataset.values[parts[part]]) for part in _PARTS}
    fraud = dataset.label[split.calibration].astype(np.float32)
    judged = {}
    for name, fitted in models.items():
        if held_back is None:
            raw = {part: raw_scores(fitted, x) for part, x in values.items()}
        else:
            raw = dict.fromkeys(_PARTS[:2], held_back[name])
            raw["test"] = raw_scores(fitted, values["test"])
        supervised = fitted.family == "supervised"
        on = raw["calibration"]
        fit = fit_calibration(on, fraud) if supervised else anomaly_fit(on)
        scores = {part: calibrated(r, fit.knots) for part, r in raw.items()}
        judged[name] = Judged(
            fitted=fitted,
            calibration=fit,
            scores=scores,
            metrics=_figures(scores["test"], scored(dataset, split.test, {}), supervised),
            golden=_golden(fitted, fit, values["calibration"]),
        )
    return judged


def judge_ensemble(
    judged: dict[str, Judged], dataset: Dataset, split: Split, config: TrainConfig
) -> Judgement:
    """Fit the plan on the validation and calibration parts and judge it on the test part."""
    parts = split.parts()

    def ballot(part: str) -> Ballot:
        anomaly = judged[config.anomaly].scores[part] if config.anomaly else None
        return Ballot(
            votes={name: judged[name].scores[part] for name in config.supervised},
            fraud=dataset.label[parts[part]].astype(np.float32),
            amount=dataset.amount[parts[part]],
            anomaly=anomaly,
        )

    ballots = {part: ballot(part) for part in _PARTS}
    plan, combiner, fit = fit_plan(ballots["validation"], ballots["calibration"], config)
    sides: dict[str, Scored] = {}
    for part in _PARTS:
        probability = ensemble_probability(plan, ballots[part].votes)
        scores = {name: model.scores[part] for name, model in judged.items()}
        sides[part] = scored(dataset, parts[part], {**scores, ENSEMBLE: probability})
    evaluated = Evaluated(**sides, probabilities=frozenset((*config.supervised, ENSEMBLE)))
    metrics = _plan_figures(plan, evaluated.test, config)
    return Judgement(plan, combiner, fit, metrics, _beside(combiner, evaluated, config), evaluated)


def _beside(combiner: Combiner, evaluated: Evaluated, config: TrainConfig) -> Beside | None:
    if combiner.contest is None:
        return None
    test = evaluated.test
    together = combiner({name: test.scores[name] for name in combiner.weights})
    alone = test.scores[combiner.contest.member]
    precision = [float(average_precision_score(test.fraud, s)) for s in (together, alone)]
    on = cases(test.fraud, test.customer_id, test.timestamp_ms)
    try:
        difference = paired_difference(
            together,
            alone,
            test.fraud,
            on.cluster,
            resamples=config.report.resamples,
            seed=config.seed,
        )
    except NotTrainable:
        difference = None
    return Beside(precision[0], precision[1], difference)


def _plan_figures(plan: Plan, test: Scored, config: TrainConfig) -> dict[str, float]:
    probability = test.scores[ENSEMBLE]
    figures = _figures(probability, test, True)
    t = plan.thresholds
    for outcome in ("challenge", "review", "block"):
        reached = probability >= getattr(t, outcome)
        figures[f"share_{outcome}"] = round(float(reached.mean()), 9)
    if config.costs is not None:
        price = priced(test.fraud, test.amount, config.costs)
        cost = total_price(probability, (t.challenge, t.review, t.block), price)
        figures["cost_per_payment"] = round(cost / probability.size, 9)
        figures["cost_per_payment_unchecked"] = round(float(price.approve.mean()), 9)
    return figures


def _figures(score: Float64, part: Scored, probabilities: bool) -> dict[str, float]:
    amount = part.amount if np.isfinite(part.amount).all() else None
    return evaluate(score, part.fraud, part.customer_id, part.timestamp_ms, probabilities, amount)


def _golden(
    fitted: Fitted, fit: CalibrationFit, values: Float32
) -> tuple[Float32, Float64, Float64]:
    """Rows over the whole range of scores, the sparsest ones, and one that knows nothing, which
    is what a model sees when the feature store is down."""
    ranked = np.argsort(raw_scores(fitted, values), kind="stable")
    spread = ranked[np.linspace(0, len(ranked) - 1, min(_GOLDEN_SPREAD, len(ranked))).astype(int)]
    sparse = np.argsort(-np.isnan(values).sum(axis=1), kind="stable")[:_GOLDEN_SPARSE]
    nothing = np.full((1, values.shape[1]), np.nan, np.float32)
    features = np.concatenate([values[spread], values[sparse], nothing])
    scores = raw_scores(fitted, features)
    return features, scores, calibrated(scores, fit.knots)
