"""From exported models to calibrated scores, a fitted plan and its figures."""

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
from training.fit.cascade import CascadeFit, fit_cascade
from training.fit.combining.choice import Choice
from training.fit.costs import outcome_costs, total_cost
from training.fit.ensemble import EnsembleFit, ensemble_probability, fit_plan
from training.fit.labelled_votes import LabelledVotes
from training.fit.scores import ENSEMBLE, ScoredPart, SplitScores
from training.fit.subsets import SubsetFit
from training.metrics.cases import cases
from training.metrics.metrics import evaluate
from training.metrics.paired import Difference, paired_difference
from training.sets.dataset import Dataset
from training.sets.split import Split

_GOLDEN_SPREAD, _GOLDEN_SPARSE = 24, 4
_PARTS = ("validation", "calibration", "test")


@dataclass(frozen=True, slots=True)
class CalibratedModel:
    """A fitted variant with its calibration and its figures.

    Attributes:
        calibration: the map to served scores, and how it was chosen.
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
class TestComparison:
    """Average precision of the ensemble and of its best member on the test part.

    Attributes:
        difference: ensemble less best member, with its paired 95 % interval; None with too few
            frauds.
    """

    ensemble: float
    best_member: float
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class PlanFit:
    """A fitted plan and its figures.

    Attributes:
        plan: see `fit_plan`.
        choice, calibration: how the plan's combining method and calibration were chosen.
        metrics: figures of the plan on the test part.
        subsets: the calibration of every proper subset of the plan's members.
        subset_errors: name of each subset -> calibration error on the test part, by the subset's
            calibration, or by the plan's own where there is none.
        cascade: a cascade before the plan's ensemble, not active; None for a single voter.
        comparison: the fitted ensemble against its best member on the test part, whichever of the
            two the plan uses; None for a single voter.
        scores: every model's scores on every held-back part.
    """

    plan: Plan
    choice: Choice
    calibration: CalibrationFit
    metrics: dict[str, float]
    subsets: tuple[SubsetFit, ...]
    subset_errors: dict[str, float]
    cascade: CascadeFit | None
    comparison: TestComparison | None
    scores: SplitScores

    def figures(self) -> dict[str, float]:
        """The figures on the test part of what is beside the plan: the calibration error of each
        subset of its members, and the cascade's, as `subset/<name>/calibration_error` and
        `cascade/<figure>`."""
        found = {f"subset/{n}/calibration_error": e for n, e in self.subset_errors.items()}
        if self.cascade is not None:
            for name, value in self.cascade.figures.get("test", {}).items():
                found[f"cascade/{name}"] = value
        return found


def calibrate_models(
    fitted_models: dict[str, Fitted],
    dataset: Dataset,
    split: Split,
    held_back: Mapping[str, Float64] | None = None,
) -> dict[str, CalibratedModel]:
    """Calibrate each variant on the calibration part and measure it on the test part, both through
    the files that will be served.

    Args:
        held_back: variant -> float64[n] raw scores of the validation part, which is also the
            calibration part, by models that had not seen it; None if `fitted_models` themselves
            have not seen it.
    """
    parts = split.parts()
    values = {part: np.ascontiguousarray(dataset.values[parts[part]]) for part in _PARTS}
    fraud = dataset.label[split.calibration].astype(np.float32)
    models = {}
    for name, fitted in fitted_models.items():
        if held_back is None:
            raw = {part: raw_scores(fitted, x) for part, x in values.items()}
        else:
            raw = dict.fromkeys(_PARTS[:2], held_back[name])
            raw["test"] = raw_scores(fitted, values["test"])
        supervised = fitted.family == "supervised"
        on = raw["calibration"]
        fit = fit_calibration(on, fraud) if supervised else anomaly_fit(on)
        scores = {part: calibrated(r, fit.knots) for part, r in raw.items()}
        test = ScoredPart.of(dataset, split.test, {})
        models[name] = CalibratedModel(
            fitted=fitted,
            calibration=fit,
            scores=scores,
            metrics=_figures(scores["test"], test, supervised),
            golden=_golden(fitted, fit, values["calibration"]),
        )
    return models


def fit_and_score_plan(
    models: dict[str, CalibratedModel], dataset: Dataset, split: Split, config: TrainConfig
) -> PlanFit:
    """Fit the plan on the validation and calibration parts and measure it on the test part."""
    parts = split.parts()

    def votes_on(part: str) -> LabelledVotes:
        anomaly = models[config.anomaly].scores[part] if config.anomaly else None
        return LabelledVotes(
            votes={name: models[name].scores[part] for name in config.supervised},
            fraud=dataset.label[parts[part]].astype(np.float32),
            amount=dataset.amount[parts[part]],
            anomaly=anomaly,
        )

    voted = {part: votes_on(part) for part in _PARTS}
    fit = fit_plan(voted["validation"], voted["calibration"], config)
    plan = fit.plan
    scored: dict[str, ScoredPart] = {}
    for part in _PARTS:
        probability = ensemble_probability(plan.ensemble, voted[part].votes)
        scores = {name: model.scores[part] for name, model in models.items()}
        scored[part] = ScoredPart.of(dataset, parts[part], {**scores, ENSEMBLE: probability})
    split_scores = SplitScores(**scored, probabilities=frozenset((*config.supervised, ENSEMBLE)))
    return PlanFit(
        plan=plan,
        choice=fit.choice,
        calibration=fit.calibration,
        metrics=_plan_figures(plan, split_scores.test, config),
        subsets=fit.subsets,
        subset_errors=_subset_errors(fit, voted["test"].votes, split_scores.test),
        cascade=_cascade(plan, voted, config),
        comparison=_compare(fit.choice, split_scores.test, config),
        scores=split_scores,
    )


def _subset_errors(
    fit: EnsembleFit, votes: Mapping[str, Float64], test: ScoredPart
) -> dict[str, float]:
    """Calibration error on the test part for each subset of the members, as if no other voted."""
    errors = {}
    for subset in fit.subsets:
        probability = ensemble_probability(
            fit.plan.ensemble, {name: votes[name] for name in subset.variants}
        )
        errors[subset.name] = _figures(probability, test, True)["calibration_error"]
    return errors


def _cascade(
    plan: Plan, voted: Mapping[str, LabelledVotes], config: TrainConfig
) -> CascadeFit | None:
    if len(config.supervised) < 2:
        return None
    test = voted["test"]
    found = fit_cascade(plan, voted["calibration"], config)
    return found.measured("test", test.votes, test.fraud)


def _compare(choice: Choice, test: ScoredPart, config: TrainConfig) -> TestComparison | None:
    if choice.comparison is None:
        return None
    combination = choice.combination
    ensemble = combination({name: test.scores[name] for name in combination.weights})
    best = test.scores[choice.comparison.member]
    precision = [float(average_precision_score(test.fraud, s)) for s in (ensemble, best)]
    on = cases(test.fraud, test.customer_id, test.timestamp_ms)
    try:
        difference = paired_difference(
            ensemble,
            best,
            test.fraud,
            on.cluster,
            resamples=config.report.resamples,
            seed=config.seed,
        )
    except NotTrainable:
        difference = None
    return TestComparison(precision[0], precision[1], difference)


def _plan_figures(plan: Plan, test: ScoredPart, config: TrainConfig) -> dict[str, float]:
    probability = test.scores[ENSEMBLE]
    figures = _figures(probability, test, True)
    t = plan.ensemble.thresholds
    for outcome in ("challenge", "review", "block"):
        reached = probability >= getattr(t, outcome)
        figures[f"share_{outcome}"] = round(float(reached.mean()), 9)
    if config.costs is not None:
        costs = outcome_costs(test.fraud, test.amount, config.costs.costs)
        cost = total_cost(probability, (t.challenge, t.review, t.block), costs)
        figures["cost_per_payment"] = round(cost / probability.size, 9)
        figures["cost_per_payment_unchecked"] = round(float(costs.approve.mean()), 9)
    return figures


def _figures(score: Float64, part: ScoredPart, probabilities: bool) -> dict[str, float]:
    amount = part.amount if np.isfinite(part.amount).all() else None
    return evaluate(score, part.fraud, part.customer_id, part.timestamp_ms, probabilities, amount)


def _golden(
    fitted: Fitted, fit: CalibrationFit, values: Float32
) -> tuple[Float32, Float64, Float64]:
    """Golden rows: rows over the whole range of scores, the rows with the fewest known values, and
    a row without any, which is what a model sees when the feature store is down."""
    ranked = np.argsort(raw_scores(fitted, values), kind="stable")
    spread = ranked[np.linspace(0, len(ranked) - 1, min(_GOLDEN_SPREAD, len(ranked))).astype(int)]
    sparse = np.argsort(-np.isnan(values).sum(axis=1), kind="stable")[:_GOLDEN_SPARSE]
    nothing = np.full((1, values.shape[1]), np.nan, np.float32)
    features = np.concatenate([values[spread], values[sparse], nothing])
    scores = raw_scores(fitted, features)
    return features, scores, calibrated(scores, fit.knots)
