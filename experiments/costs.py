"""What a decision costs once its payment has a label: the cost matrix of a plan.

It has the form of `[costs]` of a training (`training.config.CostConfig`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.decision import OUTCOMES, Outcome
from fraud.errors import InvalidInput
from fraud.payment.batch import Float64

CHALLENGE_STOPS = 0.8
"""The share of fraud that a challenge stops, unless the plan's costs state another."""

_APPROVE, _CHALLENGE, _REVIEW, _BLOCK = (OUTCOMES.index(Outcome(name)) for name in Outcome)


@dataclass(frozen=True, slots=True)
class CostMatrix:
    """Costs in currency units. A review is assumed to find every fraud.

    Attributes:
        review: of one review, >= 0.
        false_block: of blocking a genuine payment, >= 0.
        missed_share: the share of a fraud's amount that is lost if it is approved, > 0.
        challenge: of one challenge, >= 0.
        challenge_stops: the share of fraud that a challenge stops, in [0, 1].
    """

    review: float
    false_block: float
    missed_share: float = 1.0
    challenge: float = 0.0
    challenge_stops: float = CHALLENGE_STOPS

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> CostMatrix:
        """Read the `costs` of a plan's document.

        Raises:
            InvalidInput: a key is missing or unknown, or a number out of range.
        """
        unknown = sorted(set(document) - set(cls.__dataclass_fields__))
        if unknown:
            raise InvalidInput(f"costs: {unknown[0]!r} is not a cost")
        try:
            given = {name: float(value) for name, value in document.items() if value is not None}
            costs = cls(**given)
        except (TypeError, ValueError):
            raise InvalidInput(
                "costs: expected numbers, among them review and false_block"
            ) from None
        values = (costs.review, costs.false_block, costs.missed_share, costs.challenge)
        if not all(np.isfinite(value) and value >= 0 for value in values):
            raise InvalidInput("costs: expected numbers >= 0")
        if not 0 <= costs.challenge_stops <= 1:
            raise InvalidInput("costs: challenge_stops must lie in [0, 1]")
        return costs

    def of(self, outcome: NDArray[np.int8], fraud: Float64, amount: Float64) -> Float64:
        """Return the cost of n decisions, float64[n].

        Args:
            outcome: int8[n], indices into `OUTCOMES`.
            fraud: float64[n], 1 for fraud, else 0.
            amount: float64[n] in currency units.
        """
        missed = fraud * amount * self.missed_share
        cost = np.where(outcome == _APPROVE, missed, 0.0)
        challenged = self.challenge + (1 - self.challenge_stops) * missed
        cost = np.where(outcome == _CHALLENGE, challenged, cost)
        cost = np.where(outcome == _REVIEW, self.review, cost)
        total: Float64 = np.where(outcome == _BLOCK, (1 - fraud) * self.false_block, cost)
        return total


def stopped(outcome: NDArray[np.int8], challenge_stops: float = CHALLENGE_STOPS) -> Float64:
    """Return the share of each payment that would be stopped if it were fraud: float64[n], 1 for
    review and block, `challenge_stops` for a challenge, 0 for an approval."""
    by_outcome = np.zeros(len(OUTCOMES))
    by_outcome[[_REVIEW, _BLOCK]] = 1.0
    by_outcome[_CHALLENGE] = challenge_stops
    share: Float64 = by_outcome[outcome]
    return share


def interrupted(outcome: NDArray[np.int8]) -> Float64:
    """Return 1 for each decision that is not an approval, else 0: float64[n]."""
    found: Float64 = (outcome != _APPROVE).astype(np.float64)
    return found


def reviewed(outcome: NDArray[np.int8]) -> Float64:
    """Return 1 for each decision to review or block, else 0: float64[n]."""
    found: Float64 = ((outcome == _REVIEW) | (outcome == _BLOCK)).astype(np.float64)
    return found
