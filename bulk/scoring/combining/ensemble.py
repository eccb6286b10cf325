"""One probability from the calibrated scores of several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64, Int64

LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1: a calibrated score of exactly 0 says that no such
row of a small test was fraud, and must not overrule the other models."""


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble.

    Attributes:
        name: of its reference.
        weight: > 0.
        prior: share of fraud that its probabilities are calibrated to, in (0, 1).
    """

    name: str
    weight: float
    prior: float


@dataclass(frozen=True, slots=True)
class Combined:
    """n rows.

    Attributes:
        probability: float64[n] in [0, 1]; NaN where no model gives a score.
        uncertainty: float32[n] in [0, 0.5]: weighted standard deviation of the models'
            probabilities; 0 with one model, NaN with none.
        models: int64[n], models that gave a score.
    """

    probability: Float64
    uncertainty: Float32
    models: Int64


class Ensemble:
    """The weighted mean of log-odds, each model brought to the same share of fraud first.

    Models come from sets with very different shares of fraud. The share is a constant in the
    log-odds of a calibrated model: taking out the model's own and adding that of the ensemble
    makes their scores comparable, also where a model is left out of a row. Satopää and others,
    "Combining multiple probability predictions using a simple logit model" (International Journal
    of Forecasting, 2014), on means of log-odds.

    Args:
        members: at least one.

    Attributes:
        prior: share of fraud that the ensemble's probabilities belong to, in (0, 1).
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        weights = np.array([member.weight for member in members])
        priors = log_odds(np.array([member.prior for member in members]))
        self._weights = weights / weights.sum()
        centre = float(self._weights @ priors)
        self._shift = centre - priors
        self.prior = float(probability(np.array([centre]))[0])

    def combine(self, scores: Sequence[Float32]) -> Combined:
        """Combine float32[n] of each member; NaN leaves a member out of a row."""
        n = len(scores[0])
        total, odds, mean, square = (np.zeros(n) for _ in range(4))
        count = np.zeros(n, np.int64)
        for weight, shift, column in zip(self._weights, self._shift, scores, strict=True):
            score = column.astype(np.float64)
            known = np.isfinite(score)
            share = np.where(known, weight, 0.0)
            score = np.where(known, score, 0.0)
            total += share
            odds += share * (log_odds(score) + shift)
            mean += share * score
            square += share * score * score
            count += known
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(square / total - (mean / total) ** 2, 0.0))
            found = probability(odds / total)
        # One model agrees with itself, whatever rounding says.
        spread = np.where(count == 1, 0.0, spread)
        return Combined(found, spread.astype(np.float32), count)


def log_odds(share: Float64) -> Float64:
    """float64[n]: log-odds of probabilities, which are kept `LEAST` from 0 and 1."""
    kept = np.clip(share, LEAST, 1 - LEAST)
    found: Float64 = np.log(kept) - np.log1p(-kept)
    return found


def probability(odds: Float64) -> Float64:
    """float64[n]: invert `log_odds`."""
    with np.errstate(over="ignore"):
        found: Float64 = 1.0 / (1.0 + np.exp(-odds))
    return found
