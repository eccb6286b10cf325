"""One probability from the calibrated scores of several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bulk.scoring.combining.label_shift import adjust
from fraud.payment.batch import Float32, Float64, Int64

LEAST = 1e-6
"""The least prior and weight of a member."""


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble.

    Attributes:
        name: of its reference.
        weight: > 0.
        prior: share of fraud that its probabilities are calibrated to, in [LEAST, 1 - LEAST].
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
            probabilities at the same share of fraud; NaN where fewer than two models give a score,
            which tells nothing about how sure they are.
        models: int64[n], models that gave a score.
    """

    probability: Float64
    uncertainty: Float32
    models: Int64


class Ensemble:
    """The weighted mean of probabilities, each model's brought to the same share of fraud first.

    Models come from sets with very different shares of fraud, which shift the log-odds of a
    calibrated model by a constant. Without that shift a model of a set with much fraud would drown
    the others, and leaving a model out of a row would move the row.

    The mean of log-odds ranks as well: `loadtests/bench/offline/bulk_scoring.py` finds no more than
    0.003 of average precision between them. But a mean of probabilities keeps the share of fraud
    that they predict (Ranjan and Gneiting, "Combining probability forecasts", Journal of the Royal
    Statistical Society B, 2010), from which the file's own share is estimated.

    Args:
        members: at least one.

    Attributes:
        prior: share of fraud that the ensemble's probabilities belong to, in (0, 1).
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        weights = np.array([member.weight for member in members])
        self._weights = weights / weights.sum()
        priors = np.array([member.prior for member in members])
        centre = float(self._weights @ (np.log(priors) - np.log1p(-priors)))
        self.prior = 1 / (1 + float(np.exp(-centre)))

    def combine(self, scores: Sequence[Float32]) -> Combined:
        """Combine float32[n] of each member; NaN leaves a member out of a row."""
        n = len(scores[0])
        total, mean, square = (np.zeros(n) for _ in range(3))
        count = np.zeros(n, np.int64)
        for member, weight, column in zip(self.members, self._weights, scores, strict=True):
            known = np.isfinite(column)
            score = adjust(np.where(known, column, 0.0), member.prior, self.prior)
            share = np.where(known, weight, 0.0)
            total += share
            mean += share * score
            square += share * score * score
            count += known
        with np.errstate(invalid="ignore", divide="ignore"):
            probability = mean / total
            spread = np.sqrt(np.maximum(square / total - probability**2, 0.0))
        spread[count < 2] = np.nan
        return Combined(probability, spread.astype(np.float32), count)
