"""The plan: who has how much say, what that means, where thresholds lie.

Weights are fitted on the validation part alone; the map from the combined votes to a probability
and the thresholds on the calibration part, which chose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from fraud.combine.calibrate import Calibration
from fraud.combine.combine import probability_of
from fraud.errors import NotTrainable
from fraud.methods.interface import CombiningMethod
from fraud.methods.mean import Mean
from fraud.methods.stack import Stack, logit
from fraud.payment.batch import Float32, Float64
from fraud.plan import Member, Plan, Thresholds
from training.config import RateConfig, TrainConfig
from training.fit.calibrate import CalibrationFit, fit_calibration, fit_log_odds, time_folds
from training.fit.costs import cheapest_thresholds, priced

PLAN_NAME = "default"
_GRID = 10
"""Weights are multiples of 1/10, each at least one of them: whoever votes has a say, so that the
loss of any one model leaves a quorum."""
_LEAST_WEIGHT = 0.02
"""Of a stack's voter, for the same reason."""
_PRIOR_FRAUDS = 50
"""As much as so many frauds would say for it, weights are held to be equal: a few frauds settle
little, and weights fitted to their chance would be worse than equal ones."""
_RIDGE = 10.0
"""The same for a stack: pull towards equal weights that sum to 1, in units of log-loss."""
_FOLDS = 4
_LEAST_FRAUDS = 5
_TIE = 0.003
"""Average precisions closer than this share of the larger are taken as equal; then ROC-AUC
decides."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes on n labelled rows of one part, in the order of time.

    Attributes:
        votes: supervised variant -> float64[n] calibrated scores.
        fraud: float32[n], 1 fraud and 0 not; both occur.
        amount: float64[n] in currency units, NaN where unknown.
        anomaly: float64[n] scores of the anomaly variant, None without one.
    """

    votes: Mapping[str, Float64]
    fraud: Float32
    amount: Float64
    anomaly: Float64 | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """An ensemble and its best member, on validation rows.

    Attributes:
        member: the voter that ranks them best alone.
        together, alone: average precision and ROC-AUC of the ensemble and of its best member, on
            rows later than those that the weights and the member were chosen on where there are
            frauds enough.
        kept: the ensemble decides: it ranks better, or a kind of combiner was asked for.
    """

    member: str
    together: dict[str, float]
    alone: dict[str, float]
    kept: bool

    @property
    def won(self) -> bool:
        """Whether the ensemble ranks better than its best member."""
        return _beats(self.together, self.alone)

    def sentence(self) -> str:
        """What came of it, one line."""
        figures = (
            f"average precision {self.together['average_precision']:.4f} together,"
            f" {self.alone['average_precision']:.4f} by the best member alone ({self.member}), on"
            " validation"
        )
        if self.won:
            return f"the ensemble beats its best member: {figures}"
        what = "it decides as asked" if self.kept else f"{self.member} decides alone"
        return f"the ensemble does not beat its best member, {what}: {figures}"


@dataclass(frozen=True, slots=True)
class Combiner:
    """How votes are combined.

    Attributes:
        method: fitted.
        weights: variant -> weight > 0.
        merits: method -> average precision and ROC-AUC on later validation rows, on which the
            choice rests; {} if there was nothing to choose by or from.
        contest: how it did against its best member there; None of a single voter.
    """

    method: CombiningMethod
    weights: dict[str, float]
    merits: dict[str, dict[str, float]]
    contest: Contest | None = None

    def __call__(self, votes: Mapping[str, Float64]) -> Float64:
        """float64[n]: what it makes of votes, before calibration."""
        scores, weights = [votes[name] for name in self.weights], list(self.weights.values())
        return self.method.rows(scores, weights, sum(weights), len(scores[0]))


Fit = Callable[[Mapping[str, Float64], Float32], Combiner]
"""Fits a combiner on votes and labels."""


def fit_plan(
    validation: Ballot, calibration: Ballot, config: TrainConfig
) -> tuple[Plan, Combiner, CalibrationFit]:
    """Fit a plan: weights on one part, calibration and thresholds on the other.

    An ensemble that does not beat its best member on validation gives way to it: the plan is a
    `single` one, unless the configuration asks for a kind of combiner.

    Returns:
        A plan of version 1 (the registry gives it the version that is due), the combiner that was
        fitted, which a single plan does not use, and how its calibration was chosen.

    Raises:
        NotTrainable: scores so equal that no threshold keeps to the stated rates.
    """
    combiner = fit_combiner(validation.votes, validation.fraud, config.combiner)
    decides = combiner
    if combiner.contest is not None and not combiner.contest.kept:
        decides = _fit_single(validation.votes, validation.fraud)
    combined = decides(calibration.votes)
    fit = fit_calibration(combined, calibration.fraud)
    probability = Calibration(fit.knots)(combined)
    plan = Plan(
        name=PLAN_NAME,
        version=1,
        kind="ensemble" if decides is combiner else "single",
        members=tuple(Member(name, weight) for name, weight in decides.weights.items()),
        thresholds=_thresholds(probability, calibration, config),
        anomaly=config.anomaly,
        deadline_ms=config.deadline_ms,
        calibration=fit.knots,
        method=decides.method,
    )
    return plan, combiner, fit


def ensemble_probability(plan: Plan, votes: Mapping[str, Float64]) -> Float64:
    """Probabilities float64[n] that the plan makes of calibrated votes, as serving does."""
    return probability_of(plan, votes, len(votes[plan.members[0].variant]))


def fit_combiner(votes: Mapping[str, Float64], fraud: Float32, wanted: str = "choose") -> Combiner:
    """Fit the combining method that ranks later rows best.

    All are fitted on the rows before each of three folds in the order of time and judged on the
    fold by average precision, or where that is as good as equal by ROC-AUC; the best is fitted
    on all rows. A single voter is a mean.

    Args:
        votes: supervised variant -> float64[n] calibrated scores in the order of time.
        fraud: float32[n], 1 fraud and 0 not; both occur.
        wanted: `choose`, or the method that it must be.
    """
    if len(votes) == 1:
        return _fit_mean(votes, fraud)
    if wanted == "choose":
        judged = {name: _later_merits(fit, votes, fraud) for name, fit in FITS.items()}
        merits = {name: merit for name, merit in judged.items() if merit is not None}
        name = _best(merits) if merits else Mean.name
    else:
        name, merits = wanted, {}
    fitted = replace(FITS[name](votes, fraud), merits=merits)
    return replace(fitted, contest=_contest(fitted, FITS[name], votes, fraud, wanted != "choose"))


def _contest(
    fitted: Combiner, fit: Fit, votes: Mapping[str, Float64], fraud: Float32, asked_for: bool
) -> Contest:
    """Hold the combiner against its best voter, on the same rows.

    The best voter of a fold is the best of the rows before it, as the combiner's weights are
    fitted on them: the best of the fold itself would be flattered by the choice.
    """
    best = next(iter(_fit_single(votes, fraud).weights))
    together = fitted.merits.get(fitted.method.name) or _later_merits(fit, votes, fraud)
    alone = _later_merits(_fit_single, votes, fraud)
    if together is None or alone is None:  # too few frauds for folds: on the rows of the fit
        together, alone = _merit(fitted(votes), fraud), _merit(votes[best], fraud)
    return Contest(best, together, alone, asked_for or _beats(together, alone))


def _fit_single(votes: Mapping[str, Float64], fraud: Float32) -> Combiner:
    """The voter that ranks the rows best."""
    merits = {name: _merit(vote, fraud) for name, vote in votes.items()}
    best = max(merits, key=lambda name: tuple(merits[name].values()))
    return Combiner(Mean(), {best: 1.0}, {})


def _best(merits: Mapping[str, Mapping[str, float]]) -> str:
    return reduce(lambda best, name: name if _beats(merits[name], merits[best]) else best, merits)


def _beats(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """By average precision, or where that is as good as equal by ROC-AUC."""
    gain = one["average_precision"] - other["average_precision"]
    if abs(gain) < _TIE * max(one["average_precision"], other["average_precision"]):
        gain = one["roc_auc"] - other["roc_auc"]
    return gain > 0


def _merit(score: Float64, fraud: Float32) -> dict[str, float]:
    return {
        "average_precision": float(average_precision_score(fraud, score)),
        "roc_auc": float(roc_auc_score(fraud, score)),
    }


def _later_merits(
    fit: Fit, votes: Mapping[str, Float64], fraud: Float32
) -> dict[str, float] | None:
    """Figures on folds that the fit has not seen, each weighing as its frauds; None if there are
    too few frauds for folds."""
    found, weights = [], []
    for before, fold in time_folds(fraud, _FOLDS, _LEAST_FRAUDS):
        if not 0 < fraud[fold].sum() < fraud[fold].size:
            continue
        combiner = fit({name: v[before] for name, v in votes.items()}, fraud[before])
        combined = combiner({name: v[fold] for name, v in votes.items()})
        found.append(tuple(_merit(combined, fraud[fold]).values()))
        weights.append(float(fraud[fold].sum()))
    if not found:
        return None
    precision, auc = np.average(np.array(found), axis=0, weights=weights).round(9).tolist()
    return {"average_precision": precision, "roc_auc": auc}


def _fit_mean(votes: Mapping[str, Float64], fraud: Float32) -> Combiner:
    best, frauds = fit_weights(votes, fraud), float(fraud.sum())
    sure = frauds / (frauds + _PRIOR_FRAUDS)
    weights = {n: round(sure * w + (1 - sure) / len(votes), 3) for n, w in best.items()}
    return Combiner(Mean(), weights, {})


def _fit_stack(votes: Mapping[str, Float64], fraud: Float32) -> Combiner:
    """Log-loss over the votes' log-odds; no weight below 0.02."""
    columns = np.stack([logit(v) for v in votes.values()], axis=1)
    bias, weights = fit_log_odds(
        columns, fraud, least=_LEAST_WEIGHT, ridge=_RIDGE / fraud.size, towards=1 / len(votes)
    )
    found = dict(zip(votes, weights.tolist(), strict=True))
    return Combiner(Stack(bias), found, {})


FITS: dict[str, Fit] = {Mean.name: _fit_mean, Stack.name: _fit_stack}
"""Combining method -> its fit. Of equally good methods the first is taken."""


def fit_weights(votes: Mapping[str, Float64], fraud: Float32) -> dict[str, float]:
    """The grid point of the simplex with the best average precision; of equals, the evenest."""
    names = list(votes)
    scores = np.stack([votes[name] for name in names])
    best: tuple[float, float] | None = None
    chosen: tuple[int, ...] = ()
    for parts in product(range(1, _GRID + 1), repeat=len(names)):
        if sum(parts) != _GRID:
            continue
        precision = float(average_precision_score(fraud, np.array(parts) @ scores))
        merit = (round(precision, 6), -float(np.var(parts)))
        if best is None or merit > best:
            best, chosen = merit, parts
    return {name: part / _GRID for name, part in zip(names, chosen, strict=True)}


def _thresholds(probability: Float64, on: Ballot, config: TrainConfig) -> Thresholds:
    if config.costs is None:
        return fit_thresholds(probability, on.anomaly, config.rates)
    challenge, review, block = cheapest_thresholds(
        probability, priced(on.fraud, on.amount, config.costs)
    )
    return Thresholds(challenge, review, block, _anomaly_threshold(on.anomaly, config.rates))


def fit_thresholds(probability: Float64, anomaly: Float64 | None, rates: RateConfig) -> Thresholds:
    """Thresholds that at most the stated shares of `probability` float64[n] reach.

    Raises:
        NotTrainable: scores so equal that no threshold below one keeps to the rates.
    """
    challenge, review = (
        _reached_by(probability, share) for share in (rates.challenge, rates.review)
    )
    block = _reached_by(probability, rates.block, or_nobody=True)
    return Thresholds(challenge, review, block, _anomaly_threshold(anomaly, rates))


def _anomaly_threshold(anomaly: Float64 | None, rates: RateConfig) -> float | None:
    if anomaly is None:
        return None
    return _reached_by(anomaly, rates.anomaly_challenge, or_nobody=True)


def _reached_by(scores: Float64, share: float, or_nobody: bool = False) -> float:
    """Half way between the last score inside the share and the next one below it. Of a short
    slice more than the share may have the highest score: then `or_nobody` keeps to the rate by a
    threshold between that score and 1."""
    levels, counts = np.unique(scores, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    inside = np.flatnonzero(reached <= max(1.0, share * scores.size))
    if not inside.size and or_nobody and levels.size > 1 and levels[-1] < 1:
        return float((levels[-1] + 1) / 2)
    if not inside.size or levels.size < 2:
        raise NotTrainable(
            f"more than {share:.2%} of calibration payments share the highest score:"
            " no threshold keeps to that review rate; load more history"
        )
    at = int(inside[0])
    return float((levels[at] + levels[at - 1]) / 2)
