"""What is compared: how well each row was answered, as a sum over rows that has a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from experiments.rows import Answers
from experiments.statistics.outcomes import interrupted, stopped
from fraud.costs import CHALLENGE_STOPS, Costs
from fraud.payment.batch import Float64


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over rows that two sides are compared by.

    Attributes:
        name: in documents.
        title: in pages and sentences.
        better: which direction is better.
        bounded: each row lies in [0, 1], so that the sequence is exact.
        digits: decimals worth showing.
    """

    name: str
    title: str
    better: Literal["lower", "higher"]
    bounded: bool
    digits: int


BRIER: Final = Measure("brier", "Brier score", "lower", True, 6)
FRAUDS_STOPPED: Final = Measure("frauds_stopped", "share of frauds stopped", "higher", True, 4)
INTERRUPTED: Final = Measure(
    "genuine_interrupted", "share of genuine payments interrupted", "lower", True, 5
)
VALUE_CAUGHT: Final = Measure("value_caught", "value caught a payment", "higher", False, 4)
COST: Final = Measure("cost", "cost a payment", "lower", False, 4)
AVERAGE_PRECISION: Final = Measure("average_precision", "average precision", "higher", True, 4)
"""Not a mean over rows: it has no confidence sequence, see `experiments.statistics.bootstrap`."""

MEASURES: Final = (COST, BRIER, FRAUDS_STOPPED, INTERRUPTED, VALUE_CAUGHT)


@dataclass(frozen=True, slots=True)
class Loss:
    """A measure of n rows: `value` summed over `weight` summed.

    Attributes:
        value: float64[n].
        weight: float64[n], 1 where the row counts, else 0.
        reach: float64[n], the most that the value could have been, whatever a side had decided.
    """

    measure: Measure
    value: Float64
    weight: Float64
    reach: Float64

    @property
    def mean(self) -> float:
        """The measure; NaN if no row counts."""
        total = float(self.weight.sum())
        return float(self.value.sum()) / total if total > 0 else float("nan")


def losses(
    answers: Answers, fraud: Float64, amount: Float64, costs: Costs | None
) -> dict[str, Loss]:
    """Return each measure of n answers that exists for them, by name.

    - `brier`: squared distance of probability and label;
    - `frauds_stopped`: reviewed and blocked frauds, and the share of challenged ones that a
      challenge stops (`challenge_stops` of the plan's costs, else `CHALLENGE_STOPS`), over
      all frauds;
    - `genuine_interrupted`: genuine payments that were not approved, over all genuine ones;
    - `value_caught`: the amounts of frauds stopped, over all payments;
    - `cost`: by the plan's costs (`fraud.costs`), if it has them.

    Args:
        answers: all with a score; with outcomes, or those of a variant, which has none.
        fraud: float64[n], 1 for fraud, else 0.
        amount: float64[n] in currency units.
        costs: None if the plan has none.
    """
    everywhere = np.ones(fraud.size)
    found = [Loss(BRIER, (answers.probability - fraud) ** 2, everywhere, everywhere)]
    if answers.outcome is not None:
        share = CHALLENGE_STOPS if costs is None else costs.challenge_stops
        stops = stopped(answers.outcome, share)
        lost = fraud * amount
        found += [
            Loss(FRAUDS_STOPPED, fraud * stops, fraud, fraud),
            Loss(INTERRUPTED, (1 - fraud) * interrupted(answers.outcome), 1 - fraud, 1 - fraud),
            Loss(VALUE_CAUGHT, lost * stops, everywhere, lost),
        ]
        if costs is not None:
            cost = costs.of(answers.outcome, fraud, amount)
            found.append(Loss(COST, cost, everywhere, costs.highest(fraud, amount)))
    return {loss.measure.name: loss for loss in found}
