"""The rules applied to rows, and the outcome that their points lead to.

2 points challenge a payment, 4 send it to review. Rules never block: without a model there is no
evidence for that, and an outage must not stop every payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.combine.thresholds import APPROVE, CHALLENGE, REVIEW, Int8
from fraud.decision import Reason
from fraud.ensemble import Thresholds
from fraud.payment.batch import Float32, Float64, TransactionBatch
from fraud.rules.columns import Columns, RuleFeature
from fraud.rules.declared import RULES

CHALLENGE_POINTS = 2
REVIEW_POINTS = 4


@dataclass(frozen=True, slots=True)
class FiredRules:
    """The rules that fired on n rows.

    Attributes:
        probability: float64[n] in [0, 1]: a stand-in inside the band of the outcome that the points
            lead to, so that the plan's thresholds give that outcome.
        reasons: for each row the rules that fired, in the order of their declaration.
    """

    probability: Float64
    reasons: list[tuple[Reason, ...]]


class RuleSet:
    """The rules, bound to the columns of a feature matrix.

    Args:
        names: names of the features, in the order of the columns.

    Raises:
        ValueError: names the features that rules read and the matrix does not have.
    """

    def __init__(self, names: Sequence[str]) -> None:
        unknown = sorted(set(RuleFeature) - set(names))
        if unknown:
            raise ValueError(f"rules read features that do not exist: {', '.join(unknown)}")
        self._places = {feature: names.index(feature) for feature in RuleFeature}

    def apply(self, thresholds: Thresholds, batch: TransactionBatch, values: Float32) -> FiredRules:
        """Apply every rule to every row.

        Args:
            thresholds: the plan's.
            batch: n transactions.
            values: float32[n, n_features], NaN where unknown.
        """
        columns = Columns(batch, values, self._places)
        points = np.zeros(len(batch), dtype=np.int64)
        reasons: list[list[Reason]] = [[] for _ in range(len(batch))]
        with np.errstate(invalid="ignore"):
            for rule in RULES:
                hits = rule.fires(columns)
                points += rule.points * hits
                for i in np.flatnonzero(hits).tolist():
                    feature, sentence = rule.describe(columns, i)
                    reasons[i].append(Reason(rule.code, feature.value, sentence, 0.0))
        return FiredRules(_probabilities(thresholds)[_level(points)], [tuple(r) for r in reasons])


def _level(points: NDArray[np.int64]) -> Int8:
    level = np.full(len(points), APPROVE, dtype=np.int8)
    level[points >= CHALLENGE_POINTS] = CHALLENGE
    level[points >= REVIEW_POINTS] = REVIEW
    return level


def _probabilities(t: Thresholds) -> Float64:
    """float64[3]: a probability in the middle of each outcome's band."""
    middles = (t.challenge / 2, (t.challenge + t.review) / 2, (t.review + t.block) / 2)
    return np.array(middles, dtype=np.float64)
