"""What outcomes cost, in currency units: by this a plan's thresholds are fitted and its arms
compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.document import Place
from fraud.payment.batch import Float64

HIGHEST = 1e9

CHALLENGE_STOPS = 0.8
"""The share of fraud that a challenge stops, unless a plan's costs state another."""


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of each outcome of a payment of amount a. A review finds every fraud.

    | outcome | genuine | fraud |
    |---|---|---|
    | approve | 0 | missed_share * a |
    | challenge | challenge | challenge + (1 - challenge_stops) * missed_share * a |
    | review | review | review |
    | block | false_block | 0 |

    Attributes:
        review: of one review, >= 0.
        false_block: of blocking a genuine payment, >= 0.
        missed_share: share of a fraud's amount that is lost if approved, > 0.
        challenge: of one challenge, >= 0; None: the cost of a review. A challenge never finds every
            fraud, whatever it costs. Training takes None to mean that no payment should be
            challenged for its probability; anomalies still are.
        challenge_stops: share of fraud that a challenge stops, in [0, 1].
    """

    review: float
    false_block: float
    missed_share: float = 1.0
    challenge: float | None = None
    challenge_stops: float = CHALLENGE_STOPS

    def of(self, outcome: NDArray[np.int8], fraud: Float64, amount: Float64) -> Float64:
        """Return what n decisions cost, float64[n].

        Args:
            outcome: int8[n], indices into `fraud.decision.OUTCOMES`.
            fraud: float64[n], 1 for fraud, else 0.
            amount: float64[n], in units of one currency.
        """
        cost: Float64 = np.choose(outcome, self._of_outcomes(fraud, amount))
        return cost

    def highest(self, fraud: Float64, amount: Float64) -> Float64:
        """Return the cost of the costliest outcome of n payments, float64[n]; see `of`."""
        highest: Float64 = np.max(self._of_outcomes(fraud, amount), axis=0)
        return highest

    def _of_outcomes(self, fraud: Float64, amount: Float64) -> tuple[Float64, ...]:
        """The cost of each outcome in the order of `fraud.decision.OUTCOMES`, float64[n] each."""
        missed = fraud * amount * self.missed_share
        challenge = self.review if self.challenge is None else self.challenge
        challenged = challenge + (1 - self.challenge_stops) * missed
        return missed, challenged, np.full(len(amount), self.review), (1 - fraud) * self.false_block

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict; `costs_at` inverts it."""
        return asdict(self)


def costs_at(place: Place) -> Costs | None:
    """Read costs; None if they have faults, which are noted."""
    known = ("review", "false_block", "missed_share", "challenge", "challenge_stops")
    if not place.only(known):
        return None
    return place.build(
        Costs,
        review=place.number("review", 0, HIGHEST),
        false_block=place.number("false_block", 0, HIGHEST),
        missed_share=place.number("missed_share", 0, 100, 1.0, above=True),
        challenge=place.number("challenge", 0, HIGHEST) if place.has("challenge") else None,
        challenge_stops=place.number("challenge_stops", 0, 1, CHALLENGE_STOPS),
    )
