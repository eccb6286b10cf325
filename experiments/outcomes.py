"""What outcomes did to payments whose label is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.costs import Costs
from fraud.decision import OUTCOMES, Outcome
from fraud.payment.batch import Float64

Int8 = NDArray[np.int8]

CHALLENGE_STOPS = 0.8
"""The share of fraud that a challenge stops, if the plan has no costs, which state it."""

_APPROVE, _CHALLENGE, _REVIEW, _BLOCK = (OUTCOMES.index(outcome) for outcome in Outcome)


def highest_cost(costs: Costs, fraud: Float64, amount: Float64) -> Float64:
    """Return the cost of the costliest outcome of n payments, float64[n]."""
    missed = fraud * amount * costs.missed_share
    challenge: Float64 | float = costs.review
    if costs.challenge is not None:
        challenge = costs.challenge + (1 - costs.challenge_stops) * missed
    blocked = (1 - fraud) * costs.false_block
    highest: Float64 = np.max(np.broadcast_arrays(missed, challenge, costs.review, blocked), axis=0)
    return highest


def stopped(outcome: Int8, challenge_stops: float = CHALLENGE_STOPS) -> Float64:
    """Return the share of each payment that would be stopped if it were fraud: float64[n], 1 for
    review and block, `challenge_stops` for a challenge, 0 for an approval."""
    by_outcome = np.zeros(len(OUTCOMES))
    by_outcome[[_REVIEW, _BLOCK]] = 1.0
    by_outcome[_CHALLENGE] = challenge_stops
    share: Float64 = by_outcome[outcome]
    return share


def interrupted(outcome: Int8) -> Float64:
    """Return 1 for each decision that is not an approval, else 0: float64[n]."""
    found: Float64 = (outcome != _APPROVE).astype(np.float64)
    return found


def reviewed(outcome: Int8) -> Float64:
    """Return 1 for each decision to review or block, else 0: float64[n]."""
    found: Float64 = ((outcome == _REVIEW) | (outcome == _BLOCK)).astype(np.float64)
    return found
