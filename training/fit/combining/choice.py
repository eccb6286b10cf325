"""The choice of a combining method: by how it ranks rows later than those it was fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from fraud.methods.mean import Mean
from fraud.payment.batch import Float32, Float64
from training.fit.calibrate import time_folds
from training.fit.combining.combination import Combination, Fit
from training.fit.combining.mean import fit_mean
from training.fit.combining.registry import CHOICES, FITS
from training.metrics.counts import average_precision_by_counts, roc_auc_by_counts

_FOLDS = 4
_LEAST_FRAUDS = 5
_TIE = 0.003
"""Average precisions closer than this share of the larger count as equal; then ROC-AUC decides."""
_TIE_AUC = 1e-6
"""So do ROC-AUCs closer than this: rounding alone must not choose."""


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
class Choice:
    """A fitted combination, and how it was chosen.

    Attributes:
        combination: fitted on all rows.
        figures: method -> average precision and ROC-AUC on later validation rows, by which the
            method was chosen; {} if there was no choice or there were too few frauds.
        comparison: against its best member on the same rows; None for a single voter.
    """

    combination: Combination
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    comparison: MemberComparison | None = None

    def renamed(self, name: Callable[[str], str]) -> Choice:
        """Return the choice with other names of its voters."""
        compared = self.comparison
        return replace(
            self,
            combination=self.combination.renamed(name),
            comparison=compared and replace(compared, member=name(compared.member)),
        )


def choose_combination(
    votes: Mapping[str, Float64], fraud: Float32, wanted: str = "choose"
) -> Choice:
    """Fit the combining method that ranks later rows best.

    There are three folds in the order of time. Each of `CHOICES` is fitted on the rows before each
    fold and measured on the fold, by average precision or, where that is about equal, by ROC-AUC.
    The best one is then fitted on all rows; of equals the first. A single voter is a mean.

    Args:
        votes: supervised variant -> float64[n] calibrated scores in the order of time.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        wanted: `choose`, or the required method.
    """
    if len(votes) == 1:
        return Choice(fit_mean(votes, fraud))
    figures: dict[str, dict[str, float]] = {}
    if wanted == "choose":
        measured = {name: _later_figures(FITS[name], votes, fraud) for name in CHOICES}
        figures = {name: found for name, found in measured.items() if found is not None}
        wanted, configured = _best(figures) if figures else Mean.name, False
    else:
        configured = True
    fit = FITS[wanted]
    fitted, later = fit(votes, fraud), figures.get(wanted) or _later_figures(fit, votes, fraud)
    return Choice(fitted, figures, _compare(fitted, later, votes, fraud, configured))


def _compare(
    fitted: Combination,
    later: dict[str, float] | None,
    votes: Mapping[str, Float64],
    fraud: Float32,
    configured: bool,
) -> MemberComparison:
    """Compare the combination with its best voter, on the same rows.

    The best voter for a fold is chosen on the rows before it, like the weights: chosen on the fold
    itself it would look better than it is.
    """
    best = next(iter(fit_single(votes, fraud).weights))
    ensemble, best_member = later, _later_figures(fit_single, votes, fraud)
    if ensemble is None or best_member is None:  # too few frauds for folds: use the fitted rows
        ensemble, best_member = (
            _ranking_figures(fitted(votes), fraud),
            _ranking_figures(votes[best], fraud),
        )
    return MemberComparison(
        best, ensemble, best_member, configured or _beats(ensemble, best_member)
    )


def fit_single(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """The voter that ranks the rows best."""
    figures = {name: _ranking_figures(vote, fraud) for name, vote in votes.items()}
    best = max(figures, key=lambda name: tuple(figures[name].values()))
    return Combination(Mean(), {best: 1.0})


def _best(figures: Mapping[str, Mapping[str, float]]) -> str:
    return reduce(
        lambda best, name: name if _beats(figures[name], figures[best]) else best, figures
    )


def _beats(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """By average precision or, where that is about equal, by ROC-AUC."""
    gain = one["average_precision"] - other["average_precision"]
    if abs(gain) < _TIE * max(one["average_precision"], other["average_precision"]):
        gain = one["roc_auc"] - other["roc_auc"]
        return gain > _TIE_AUC
    return gain > 0


def _ranking_figures(score: Float64, fraud: Float32) -> dict[str, float]:
    return {
        "average_precision": average_precision_by_counts(fraud, score),
        "roc_auc": roc_auc_by_counts(fraud, score),
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
