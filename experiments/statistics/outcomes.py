"""What outcomes did to payments whose label is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.decision import OUTCOMES, Outcome
from fraud.payment.batch import Float64

Int8 = NDArray[np.int8]

_APPROVE, _CHALLENGE, _REVIEW, _BLOCK = (OUTCOMES.index(outcome) for outcome in Outcome)


def stopped(outcome: Int8, challenge_stops: float) -> Float64:
    """Return the share of each payment that would be stopped if it were fraud: float64[n], 1 for
    review and block, `challenge_stops` for a challenge, 0 for an approval.

    This is what a fraud is worth to whoever compares sides. A simulation counts frauds that are
    "caught", which is another thing: whole decisions with any outcome but approve.
    """
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
