"""Fitting the plan: the weights of its members, its calibrations and its thresholds.

Weights are fitted on the validation part only. The maps from combined votes to a probability and
the thresholds are fitted on the calibration part, on which nothing was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fraud.combine.calibrate import Calibration
from fraud.combine.combine import probability_of
from fraud.ensemble import ENSEMBLE, SINGLE, Ensemble
from fraud.payment.batch import Float64
from fraud.plan import Plan
from training.config import TrainConfig
from training.fit.calibrate import CalibrationFit, fit_calibration
from training.fit.combining.choice import Choice, choose_combination, fit_single
from training.fit.labelled_votes import LabelledVotes
from training.fit.subsets import SubsetFit, fit_subsets, stored
from training.fit.thresholds import thresholds_on

PLAN_NAME = "default"


@dataclass(frozen=True, slots=True)
class EnsembleFit:
    """A fitted plan of one ensemble, and how it was fitted.

    Attributes:
        plan: of version 1; the plan table assigns the real version.
        choice: the combination, which a single plan does not use.
        calibration: how the plan's calibration was chosen.
        subsets: of every proper subset of its members; () for a single plan.
    """

    plan: Plan
    choice: Choice
    calibration: CalibrationFit
    subsets: tuple[SubsetFit, ...]


def fit_plan(
    validation: LabelledVotes, calibration: LabelledVotes, config: TrainConfig
) -> EnsembleFit:
    """Fit a plan: weights on one part, calibrations and thresholds on the other.

    If the ensemble does not beat its best member on validation, the plan is a `single` plan of
    that member, unless the configuration names a combining method.

    Raises:
        NotTrainable: too many scores are equal for any threshold to keep the configured rates.
    """
    choice = choose_combination(validation.votes, validation.fraud, config.combiner)
    kept = choice.comparison is None or choice.comparison.kept
    decides = choice.combination if kept else fit_single(validation.votes, validation.fraud)
    score = decides(calibration.votes)
    fit = fit_calibration(score, calibration.fraud)
    subsets = fit_subsets(decides, calibration.votes, calibration.fraud)
    ensemble = Ensemble(
        kind=ENSEMBLE if kept else SINGLE,
        members=decides.members,
        thresholds=thresholds_on(Calibration(fit.knots)(score), calibration, config),
        anomaly=config.anomaly,
        deadline_ms=config.deadline_ms,
        calibration=fit.knots,
        method=decides.method,
        subsets=stored(subsets),
    )
    costs = None if config.costs is None else config.costs.costs
    return EnsembleFit(Plan(PLAN_NAME, 1, ensemble, costs=costs), choice, fit, subsets)


def ensemble_probability(ensemble: Ensemble, votes: Mapping[str, Float64]) -> Float64:
    """An ensemble's probabilities float64[n] of calibrated votes, computed as in serving: a member
    without a vote counts as missing, and votes of other variants are ignored."""
    return probability_of(ensemble, votes, len(next(iter(votes.values()))))
