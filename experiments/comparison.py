"""One side compared with the side that it would replace, on the payments that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from experiments.maturity import Known, Maturity, Waiting
from experiments.recommendation import Recommendation, recommend
from experiments.rows import Answers, Bool, Rows
from experiments.sides import Pair, Side
from experiments.statistics.bootstrap import paired_interval, unpaired_interval
from experiments.statistics.differences import Difference, Half, at_one_look, by_customer, paired
from experiments.statistics.figures import Figures, figures, review_rate_of
from experiments.statistics.losses import AVERAGE_PRECISION, MEASURES, Loss, losses
from experiments.statistics.ranking import Ranking
from fraud.costs import Costs
from fraud.payment.batch import Float64, Int64


@dataclass(frozen=True, slots=True)
class Grounds:
    """What all comparisons of a report rest on.

    Attributes:
        rows: all decisions.
        known: those that count.
        waiting: from which age they do.
        now_ms: the time of the look, milliseconds since the epoch.
        costs: the plan's; None if it has none.
        go_on: called before each measure, which may take seconds; what it raises ends the report.
    """

    rows: Rows
    known: Known
    waiting: Waiting
    now_ms: int
    costs: Costs | None
    go_on: Callable[[], None]

    def answers(self, side: Side) -> Answers:
        """Return the answers of a side to every payment."""
        if side.kind == "shadow":
            return self.rows.shadows[side.name]
        if side.kind == "variant":
            return self.rows.variants[side.name]
        return self.rows.live

    def mask(self, side: Side) -> Bool:
        """Return which payments a side scored."""
        scored = self.answers(side).scored
        return scored & self.rows.in_arm(side.name) if side.kind == "arm" else scored


@dataclass(frozen=True, slots=True)
class Measured:
    """A side on some payments."""

    figures: Figures
    maturity: Maturity


@dataclass(frozen=True, slots=True)
class Comparison:
    """A side compared with the one that it would replace.

    Attributes:
        pair: the sides that are compared.
        side, against: each on the payments that are compared.
        differences: side less against, by measure.
        recommendation: what to do, and why.
        moved: customers of an arm who were in the other arm before, and are left out there.
    """

    pair: Pair
    side: Measured
    against: Measured
    differences: tuple[Difference, ...]
    recommendation: Recommendation
    moved: int = 0

    def difference(self, name: str) -> Difference | None:
        """Return the difference of one measure; None if it was not measured."""
        return next((d for d in self.differences if d.measure.name == name), None)


def measured(grounds: Grounds, side: Side, mask: Bool, review_rate: float | None) -> Measured:
    """Measure a side on the payments that `mask`, bool[n], marks, all scored by it."""
    rows, answers = grounds.rows, grounds.answers(side)
    known = grounds.known.within(mask)
    return Measured(
        figures(
            answers.take(mask),
            answers.take(known.rows),
            known.fraud,
            rows.amount[known.rows],
            grounds.costs,
            review_rate,
        ),
        Maturity.of(rows, mask, known, grounds.waiting.ms, grounds.now_ms),
    )


def compared(grounds: Grounds, pair: Pair) -> Comparison:
    """Compare the sides of a pair."""
    mask, mask_against, moved = _masks(grounds, pair)
    rate = review_rate_of(grounds.answers(pair.against).take(mask_against))
    if rate is None:  # variants, which decide nothing: at the plan's rate on the same payments
        rate = review_rate_of(grounds.rows.live.take(mask_against))
    side = measured(grounds, pair.side, mask, rate)
    against = measured(grounds, pair.against, mask_against, rate)
    differences = tuple(_differences(grounds, pair, mask, mask_against))
    return Comparison(
        pair,
        side,
        against,
        differences,
        recommend(pair, side.maturity, against.maturity, grounds.waiting, differences),
        moved,
    )


def _masks(grounds: Grounds, pair: Pair) -> tuple[Bool, Bool, int]:
    """The payments of each side that are compared: the same ones, or those of its own customers. A
    customer who changed arms stays, for the comparison, in the arm of the first payment."""
    mask, mask_against = grounds.mask(pair.side), grounds.mask(pair.against)
    if pair.paired:
        both = mask & mask_against
        return both, both, 0
    either = np.flatnonzero(mask | mask_against)
    customer = grounds.rows.customer[either]
    _, first, code = np.unique(customer, return_index=True, return_inverse=True)
    began_here = mask[either[first]][code]
    stayed = mask[either] == began_here
    moved = np.unique(customer[~stayed]).size
    kept = np.zeros_like(mask)
    kept[either[stayed]] = True
    return mask & kept, mask_against & kept, int(moved)


def _differences(
    grounds: Grounds, pair: Pair, mask: Bool, mask_against: Bool
) -> Iterator[Difference]:
    one = _Part.of(grounds, pair.side, mask)
    other = _Part.of(grounds, pair.against, mask_against)
    if not one.fraud.size or not other.fraud.size:
        return
    for measure in MEASURES:
        grounds.go_on()
        if measure.name in one.losses and measure.name in other.losses:
            side, against = one.losses[measure.name], other.losses[measure.name]
            if pair.paired:
                yield paired(side, against, one.at_ms)
            else:
                yield by_customer(one.half(side), other.half(against))
    grounds.go_on()
    rankings = Ranking(one.probability, one.fraud), Ranking(other.probability, other.fraud)
    precision = rankings[0].average_precision(), rankings[1].average_precision()
    interval = None
    if np.isfinite(precision).all():
        if pair.paired:
            interval = paired_interval(*rankings, one.customer)
        else:
            interval = unpaired_interval(*rankings, one.customer, other.customer)
    yield at_one_look(AVERAGE_PRECISION, *precision, interval)


@dataclass(frozen=True, slots=True)
class _Part:
    """The payments of one side that count, in the order in which they entered."""

    probability: Float64
    fraud: Float64
    customer: Int64
    at_ms: Int64
    losses: dict[str, Loss]

    @classmethod
    def of(cls, grounds: Grounds, side: Side, mask: Bool) -> _Part:
        known = grounds.known.within(mask)
        answers = grounds.answers(side).take(known.rows)
        amount = grounds.rows.amount[known.rows]
        customer = grounds.rows.customer[known.rows]
        return cls(
            answers.probability,
            known.fraud,
            np.unique(customer, return_inverse=True)[1].astype(np.int64),
            known.at_ms,
            losses(answers, known.fraud, amount, grounds.costs),
        )

    def half(self, loss: Loss) -> Half:
        return Half(loss, self.customer, self.at_ms)
