"""Whether a file's probabilities may be adjusted to its own share of fraud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bulk.scoring.combining.ensemble import LEAST
from bulk.scoring.combining.label_shift import ShareEstimate, adjust, estimate_share
from bulk.scoring.plan import PlannedModel
from fraud.payment.batch import Float32, Float64

LEAST_ROWS = 1000
"""Fewer rows hold too few frauds to tell their share."""
LEAST_AUC = 0.75
"""ROC-AUC on its own test from which a model tells fraud from genuine well enough."""
MOST_DOMAIN_AUC = 0.9
"""Above, so much else differs between file and training that a shift of labels alone explains
little of it."""
MOST_CHANGE = 10.0
"""Odds of fraud more often than that above or below training's are a broken match, not a shift."""
MOST_SHARE = 0.5
LEAST_AGREEMENT = 0.3
"""Mean overlap of the models' riskiest rows; below, they do not see the same fraud. Models of one
domain have 0.6 and more (docs/bulk-scoring-methods.md)."""

_Z95 = 1.959963984540054

Code = Literal[
    "done",
    "not-asked",
    "few-rows",
    "weak-models",
    "other-domain",
    "disagreement",
    "not-converged",
    "out-of-bounds",
    "no-shift",
]


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What was decided.

    Attributes:
        probability: float64[n], adjusted or as they were.
        code: `done`, or why not.
        reason: one sentence.
        prior: share of fraud that the ensemble was calibrated to.
        share, low, high: estimated share of fraud in the file and its interval: the union of the
            95 % intervals of the ensemble and of each model. NaN if no row has a score.
        method: `label-shift`, or `mean-probability` where label shift is not safe.
    """

    probability: Float64
    code: Code
    reason: str
    prior: float
    share: float
    low: float
    high: float
    method: Literal["label-shift", "mean-probability"]

    def summary(self) -> dict[str, Any]:
        """JSON-ready, without the probabilities."""
        return {
            "done": self.code == "done",
            "code": self.code,
            "reason": self.reason,
            "training_rate": self.prior,
        }


def recalibrate(
    probability: Float64,
    prior: float,
    models: Sequence[PlannedModel],
    scores: Sequence[Float32],
    agreement: float | None,
    wanted: bool = True,
) -> Recalibration:
    """Adjust probabilities if that is safe; else return them unchanged.

    Args:
        probability: float64[n], NaN where no model gave a score.
        prior: share of fraud that they belong to.
        models: that made them.
        scores: float32[n] of each model, of its own prior; NaN where it gives none.
        agreement: see `bulk.scoring.summary.agreement`; None with one model.
        wanted: the caller allows it.
    """
    rows = int(np.count_nonzero(~np.isnan(probability)))
    code, reason = _unsafe(rows, models, agreement)
    if code is not None:
        return _unchanged(probability, prior, scores, code, reason)
    found = estimate_share(probability, prior)
    code, reason = _implausible(found, prior)
    if code is not None:
        return _unchanged(probability, prior, scores, code, reason)
    found = _with_models(found, models, scores)
    if not wanted:
        told = "the caller asked for probabilities as they are"
        return _told(probability, "not-asked", told, prior, found)
    if found.low <= prior <= found.high:
        told = "the file's share of fraud does not differ clearly from training's"
        return _told(probability, "no-shift", told, prior, found)
    adjusted = adjust(probability, prior, found.share)
    told = "probabilities are adjusted to the file's own share of fraud"
    return _told(adjusted, "done", told, prior, found)


def _with_models(
    found: ShareEstimate, models: Sequence[PlannedModel], scores: Sequence[Float32]
) -> ShareEstimate:
    """The estimate of the ensemble, with an interval that holds those of its models: the chance in
    drawing rows is small beside the differences between models."""
    low, high = [found.low], [found.high]
    for model, column in zip(models, scores, strict=True):
        if len(models) > 1 and np.count_nonzero(~np.isnan(column)) >= LEAST_ROWS:
            own = estimate_share(column, bounded(model.label_rate))
            low.append(own.low)
            high.append(own.high)
    return replace(found, low=min(low), high=max(high))


def bounded(rate: float) -> float:
    """Return a share of fraud within [LEAST, 1 - LEAST]."""
    return min(max(rate, LEAST), 1 - LEAST)


def _unsafe(
    rows: int, models: Sequence[PlannedModel], agreement: float | None
) -> tuple[Code | None, str]:
    """Why label shift must not be assumed, before looking at the probabilities."""
    if rows < LEAST_ROWS:
        return "few-rows", f"{rows:,} rows are too few: {LEAST_ROWS:,} are needed"
    weak = [m for m in models if m.metrics.get("roc_auc", 0.0) < LEAST_AUC]
    if weak:
        told = f"{weak[0].reference} told fraud from genuine too badly on its own test"
        return "weak-models", f"{told}: its ROC-AUC is below {LEAST_AUC:g}"
    weights = np.array([m.weight for m in models if m.domain_auc is not None])
    measured = np.array([m.domain_auc for m in models if m.domain_auc is not None], np.float64)
    if measured.size and float(np.average(measured, weights=weights)) > MOST_DOMAIN_AUC:
        return "other-domain", (
            "a classifier tells the file's rows from the training's too easily: more than the"
            " share of fraud differs"
        )
    if agreement is not None and agreement < LEAST_AGREEMENT:
        return "disagreement", (
            f"the models do not see the same fraud: they share {agreement:.0%} of their riskiest"
            f" rows, less than {LEAST_AGREEMENT:.0%}"
        )
    return None, ""


def _implausible(found: ShareEstimate, prior: float) -> tuple[Code | None, str]:
    if not found.converged:
        return "not-converged", "the estimate did not come to rest"
    share = bounded(found.share)
    change = (share / (1 - share)) / (prior / (1 - prior))
    if found.share > MOST_SHARE or not 1 / MOST_CHANGE <= change <= MOST_CHANGE:
        return "out-of-bounds", (
            f"the estimated share of fraud, {found.share:.2%}, is too far from training's,"
            f" {prior:.2%}"
        )
    return None, ""


def _told(
    probability: Float64, code: Code, reason: str, prior: float, found: ShareEstimate
) -> Recalibration:
    return Recalibration(
        probability, code, reason, prior, found.share, found.low, found.high, "label-shift"
    )


def _unchanged(
    probability: Float64, prior: float, scores: Sequence[Float32], code: Code, reason: str
) -> Recalibration:
    """The mean probability, with an interval that holds those of the models' own means."""
    share, low, high = _mean(probability)
    own = [_mean(score) for score in scores if not np.isnan(score).all()]
    low, high = min([low, *(one[1] for one in own)]), max([high, *(one[2] for one in own)])
    return Recalibration(probability, code, reason, prior, share, low, high, "mean-probability")


def _mean(probability: Float64 | Float32) -> tuple[float, float, float]:
    """The mean of known probabilities, with the 95 % interval of a sum of independent draws; NaN
    if none is known."""
    n = int(np.count_nonzero(~np.isnan(probability)))
    if not n:
        return float("nan"), float("nan"), float("nan")
    total = float(np.nansum(probability, dtype=np.float64))
    squares = float(np.nansum(np.square(probability), dtype=np.float64))
    share, reach = total / n, _Z95 * float(np.sqrt(max(total - squares, 0.0))) / n
    return share, max(share - reach, 0.0), min(share + reach, 1.0)
