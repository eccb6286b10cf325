"""Fitting the plan: the weights of its members, its calibration and its thresholds.

Weights are fitted on the validation part only. The map from combined votes to a probability and the
thresholds are fitted on the calibration part, on which nothing was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from fraud.combine.calibrate import Calibration
from fraud.combine.combine import combined, probability_of
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import NotTrainable
from fraud.methods.interface import CombiningMethod
from fraud.methods.majority import Majority
from fraud.methods.maximum import Maximum
from fraud.methods.mean import Mean
from fraud.methods.rank import RankAverage
from fraud.methods.stack import Stack, logit
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from training.config import RateConfig, TrainConfig
from training.fit.calibrate import CalibrationFit, fit_calibration, fit_log_odds, time_folds
from training.fit.costs import cheapest_thresholds, outcome_costs

PLAN_NAME = "default"
_GRID = 10
"""Weights are multiples of 1/10 and at least 1/10: every member counts, so that losing any one
model leaves a quorum."""
_LEAST_WEIGHT = 0.02
"""The least weight in a stack, for the same reason."""
_PRIOR_FRAUDS = 50
"""Weights are shrunk towards equal ones as if this many frauds supported that: a few frauds prove
little, and weights fitted to their noise would be worse than equal weights."""
_RIDGE = 10.0
"""The same for a stack: the pull towards equal weights that sum to 1, in units of log-loss."""
_RANKS = 101
"""Quantiles of a member's votes that its ranks are read from."""
_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Quantiles of votes that are tried as the level of a majority."""
_FOLDS = 4
_LEAST_FRAUDS = 5
_TIE = 0.003
"""Average precisions closer than this share of the larger count as equal; then ROC-AUC decides."""


@dataclass(frozen=True, slots=True)
class LabelledVotes:
    """Votes on n labelled rows of one part, in the order of time.

    Attributes:
        votes: supervised variant -> float64[n] calibrated scores.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        amount: float64[n] in currency units, NaN where unknown.
        anomaly: float64[n] scores of the anomaly variant; None without one.
    """

    votes: Mapping[str, Float64]
    fraud: Float32
    amount: Float64
    anomaly: Float64 | None = None


@dataclass(frozen=True, slots=True)
class MemberComparison:
    """An ensemble against its best member, on validation rows.

    Attributes:
        member: the voter that ranks the rows best alone.
        ensemble, best_member: average precision and ROC-AUC of each. Given enough frauds they are
            measured on rows later than those that the weights and the member were chosen on.
        kept: the ensemble decides, because it ranks better or because a combining method was
            configured.
    """

    member: str
    ensemble: dict[str, float]
    best_member: dict[str, float]
    kept: bool

    @property
    def won(self) -> bool:
        """Whether the ensemble ranks better than its best member."""
        return _beats(self.ensemble, self.best_member)

    def sentence(self) -> str:
        """The result, one line."""
        figures = (
            f"average precision {self.ensemble['average_precision']:.4f} together,"
            f" {self.best_member['average_precision']:.4f} by the best member alone"
            f" ({self.member}), on validation"
        )
        if self.won:
            return f"the ensemble beats its best member: {figures}"
        what = "it decides as configured" if self.kept else f"{self.member} decides alone"
        return f"the ensemble does not beat its best member, {what}: {figures}"


@dataclass(frozen=True, slots=True)
class Combination:
    """A fitted combining method with the weights of its voters.

    Attributes:
        method: fitted.
        weights: variant -> weight > 0.
        figures: method -> average precision and ROC-AUC on later validation rows, by which the
            method was chosen; {} if there was no choice or there were too few frauds.
        comparison: against its best member on the same rows; None for a single voter.
        ranks: variant -> see `Member.ranks`; {} if the method needs none.
    """

    method: CombiningMethod
    weights: dict[str, float]
    figures: dict[str, dict[str, float]]
    comparison: MemberComparison | None = None
    ranks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        """The voters as members of an ensemble."""
        return tuple(Member(n, w, ranks=self.ranks.get(n, ())) for n, w in self.weights.items())

    def __call__(self, votes: Mapping[str, Float64]) -> Float64:
        """Combine votes: float64[n], not calibrated."""
        return combined(self.method, self.members, votes, len(next(iter(votes.values()))))


Fit = Callable[[Mapping[str, Float64], Float32], Combination]
"""Fits a combining method on votes and labels."""


def fit_plan(
    validation: LabelledVotes, calibration: LabelledVotes, config: TrainConfig
) -> tuple[Plan, Combination, CalibrationFit]:
    """Fit a plan: weights on one part, calibration and thresholds on the other.

    If the ensemble does not beat its best member on validation, the plan is a `single` plan of
    that member, unless the configuration names a combining method.

    Returns:
        A plan of version 1 (the plan table assigns the real version), the fitted combination, which
        a single plan does not use, and how the plan's calibration was chosen.

    Raises:
        NotTrainable: too many scores are equal for any threshold to keep the configured rates.
    """
    combination = fit_combination(validation.votes, validation.fraud, config.combiner)
    decides = combination
    if combination.comparison is not None and not combination.comparison.kept:
        decides = _fit_single(validation.votes, validation.fraud)
    score = decides(calibration.votes)
    fit = fit_calibration(score, calibration.fraud)
    probability = Calibration(fit.knots)(score)
    ensemble = Ensemble(
        kind="ensemble" if decides is combination else "single",
        members=decides.members,
        thresholds=_thresholds(probability, calibration, config),
        anomaly=config.anomaly,
        deadline_ms=config.deadline_ms,
        calibration=fit.knots,
        method=decides.method,
    )
    return Plan(PLAN_NAME, 1, ensemble), combination, fit


def ensemble_probability(ensemble: Ensemble, votes: Mapping[str, Float64]) -> Float64:
    """An ensemble's probabilities float64[n] of calibrated votes, computed as in serving: a member
    without a vote counts as missing, and votes of other variants are ignored."""
    return probability_of(ensemble, votes, len(next(iter(votes.values()))))


def fit_combination(
    votes: Mapping[str, Float64], fraud: Float32, wanted: str = "choose"
) -> Combination:
    """Fit the combining method that ranks later rows best.

    There are three folds in the order of time. Every method is fitted on the rows before each fold
    and measured on the fold, by average precision or, where that is about equal, by ROC-AUC. The
    best one is then fitted on all rows. A single voter is a mean.

    Args:
        votes: supervised variant -> float64[n] calibrated scores in the order of time.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        wanted: `choose`, or the required method.
    """
    if len(votes) == 1:
        return _fit_mean(votes, fraud)
    if wanted == "choose":
        by_method = {name: _later_figures(fit, votes, fraud) for name, fit in FITS.items()}
        figures = {name: found for name, found in by_method.items() if found is not None}
        name = _best(figures) if figures else Mean.name
    else:
        name, figures = wanted, {}
    fitted = replace(FITS[name](votes, fraud), figures=figures)
    configured = wanted != "choose"
    return replace(fitted, comparison=_compare(fitted, FITS[name], votes, fraud, configured))


def _compare(
    fitted: Combination, fit: Fit, votes: Mapping[str, Float64], fraud: Float32, configured: bool
) -> MemberComparison:
    """Compare the combination with its best voter, on the same rows.

    The best voter for a fold is chosen on the rows before it, like the weights: chosen on the fold
    itself it would look better than it is.
    """
    best = next(iter(_fit_single(votes, fraud).weights))
    ensemble = fitted.figures.get(fitted.method.name) or _later_figures(fit, votes, fraud)
    best_member = _later_figures(_fit_single, votes, fraud)
    if ensemble is None or best_member is None:  # too few frauds for folds: use the fitted rows
        ensemble, best_member = (
            _ranking_figures(fitted(votes), fraud),
            _ranking_figures(votes[best], fraud),
        )
    return MemberComparison(
        best, ensemble, best_member, configured or _beats(ensemble, best_member)
    )


def _fit_single(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """The voter that ranks the rows best."""
    figures = {name: _ranking_figures(vote, fraud) for name, vote in votes.items()}
    best = max(figures, key=lambda name: tuple(figures[name].values()))
    return Combination(Mean(), {best: 1.0}, {})


def _best(figures: Mapping[str, Mapping[str, float]]) -> str:
    return reduce(
        lambda best, name: name if _beats(figures[name], figures[best]) else best, figures
    )


def _beats(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """By average precision or, where that is about equal, by ROC-AUC."""
    gain = one["average_precision"] - other["average_precision"]
    if abs(gain) < _TIE * max(one["average_precision"], other["average_precision"]):
        gain = one["roc_auc"] - other["roc_auc"]
    return gain > 0


def _ranking_figures(score: Float64, fraud: Float32) -> dict[str, float]:
    return {
        "average_precision": float(average_precision_score(fraud, score)),
        "roc_auc": float(roc_auc_score(fraud, score)),
    }


def _later_figures(
    fit: Fit, votes: Mapping[str, Float64], fraud: Float32
) -> dict[str, float] | None:
    """Figures on folds that the fit has not seen, weighted by their frauds; None with too few
    frauds for folds."""
    found, weights = [], []
    for before, fold in time_folds(fraud, _FOLDS, _LEAST_FRAUDS):
        if not 0 < fraud[fold].sum() < fraud[fold].size:
            continue
        combination = fit({name: v[before] for name, v in votes.items()}, fraud[before])
        combined = combination({name: v[fold] for name, v in votes.items()})
        found.append(tuple(_ranking_figures(combined, fraud[fold]).values()))
        weights.append(float(fraud[fold].sum()))
    if not found:
        return None
    precision, auc = np.average(np.array(found), axis=0, weights=weights).round(9).tolist()
    return {"average_precision": precision, "roc_auc": auc}


def _fit_mean(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    best, frauds = fit_weights(votes, fraud), float(fraud.sum())
    sure = frauds / (frauds + _PRIOR_FRAUDS)
    weights = {n: round(sure * w + (1 - sure) / len(votes), 3) for n, w in best.items()}
    return Combination(Mean(), weights, {})


def _fit_stack(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Minimise log-loss over the votes' log-odds; no weight below 0.02."""
    columns = np.stack([logit(v) for v in votes.values()], axis=1)
    bias, weights = fit_log_odds(
        columns, fraud, least=_LEAST_WEIGHT, ridge=_RIDGE / fraud.size, towards=1 / len(votes)
    )
    found = dict(zip(votes, weights.tolist(), strict=True))
    return Combination(Stack(bias), found, {})


def _fit_rank(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """The weights of a mean, fitted on ranks; ranks come from the votes at even quantiles."""
    steps = np.linspace(0.0, 1.0, _RANKS)
    ranks = {name: tuple(np.quantile(v, steps).tolist()) for name, v in votes.items()}
    ranked = {name: np.interp(v, ranks[name], steps) for name, v in votes.items()}
    return Combination(RankAverage(), _fit_mean(ranked, fraud).weights, {}, ranks=ranks)


def _fit_maximum(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Nothing to fit: weights do not count."""
    return Combination(Maximum(), dict.fromkeys(votes, 1.0), {})


def _fit_majority(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Equal weights, and the level of the best average precision among quantiles of all votes."""
    weights = dict.fromkeys(votes, 1.0)
    levels = np.unique(np.quantile(np.concatenate(list(votes.values())), _LEVELS))
    made = [Combination(Majority(float(at)), weights, {}) for at in levels if 0 < at <= 1]
    made = made or [Combination(Majority(), weights, {})]
    return max(made, key=lambda combination: average_precision_score(fraud, combination(votes)))


FITS: dict[str, Fit] = {
    Mean.name: _fit_mean,
    Stack.name: _fit_stack,
    RankAverage.name: _fit_rank,
    Maximum.name: _fit_maximum,
    Majority.name: _fit_majority,
}
"""Combining method -> its fit. Of equally good methods the first is taken."""


def fit_weights(votes: Mapping[str, Float64], fraud: Float32) -> dict[str, float]:
    """The weights on the grid with the best average precision; of equals, the most even."""
    names = list(votes)
    scores = np.stack([votes[name] for name in names])
    best: tuple[float, float] | None = None
    chosen: tuple[int, ...] = ()
    for parts in product(range(1, _GRID + 1), repeat=len(names)):
        if sum(parts) != _GRID:
            continue
        precision = float(average_precision_score(fraud, np.array(parts) @ scores))
        figures = (round(precision, 6), -float(np.var(parts)))
        if best is None or figures > best:
            best, chosen = figures, parts
    return {name: part / _GRID for name, part in zip(names, chosen, strict=True)}


def _thresholds(probability: Float64, on: LabelledVotes, config: TrainConfig) -> Thresholds:
    if config.costs is None:
        return fit_thresholds(probability, on.anomaly, config.rates)
    challenge, review, block = cheapest_thresholds(
        probability, outcome_costs(on.fraud, on.amount, config.costs)
    )
    return Thresholds(challenge, review, block, _anomaly_threshold(on.anomaly, config.rates))


def fit_thresholds(probability: Float64, anomaly: Float64 | None, rates: RateConfig) -> Thresholds:
    """Thresholds that at most the configured shares of `probability` float64[n] reach.

    Raises:
        NotTrainable: too many scores are equal for any threshold below one to keep the rates.
    """
    challenge, review = (
        _reached_by(probability, share) for share in (rates.challenge, rates.review)
    )
    block = _reached_by(probability, rates.block, allow_none=True)
    return Thresholds(challenge, review, block, _anomaly_threshold(anomaly, rates))


def _anomaly_threshold(anomaly: Float64 | None, rates: RateConfig) -> float | None:
    if anomaly is None:
        return None
    return _reached_by(anomaly, rates.anomaly_challenge, allow_none=True)


def _reached_by(scores: Float64, share: float, allow_none: bool = False) -> float:
    """Half way between the last score inside the share and the next one below it. In a short slice
    more rows than the share may have the highest score: `allow_none` then keeps the rate with a
    threshold between that score and 1."""
    levels, counts = np.unique(scores, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    inside = np.flatnonzero(reached <= max(1.0, share * scores.size))
    if not inside.size and allow_none and levels.size > 1 and levels[-1] < 1:
        return float((levels[-1] + 1) / 2)
    if not inside.size or levels.size < 2:
        raise NotTrainable(
            f"more than {share:.2%} of calibration payments share the highest score:"
            " no threshold keeps that review rate; load more history"
        )
    at = int(inside[0])
    return float((levels[at] + levels[at - 1]) / 2)
