"""What a set of decisions was, and what it would have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deciding.simulation.ledger import Columns
from fraud.costs import Costs
from fraud.decision import OUTCOMES
from fraud.payment.batch import Int64
from fraud.payment.currency import EXPONENT, to_major

APPROVE = 0
"""Index into `OUTCOMES`."""

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in units of a currency, exact: `value` is a decimal number."""

    currency: str
    value: str


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """How often an outcome was decided, and would have been; rates in [0, 1]."""

    outcome: str
    before: int
    after: int
    rate_before: float
    rate_after: float


@dataclass(frozen=True, slots=True)
class CaughtValue:
    """Amounts of fraud in one currency: all of it, and what was and would have been caught."""

    currency: str
    fraud: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What decisions in one currency cost and would have cost, in its units."""

    currency: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Figures of decisions with mature labels.

    A fraud is caught, and a genuine payment is a false positive, unless it is approved.

    Attributes:
        labelled: decisions with a label.
        mature: those old enough that others of their age have labels, too; all that follows is
            about these.
        fraud, genuine: how many there are.
        caught_before, caught_after: frauds that were caught, and would have been.
        false_positives_before, false_positives_after: likewise.
        value: of fraud, by currency.
        cost: by currency; () if the plan has no costs.
    """

    labelled: int
    mature: int
    fraud: int
    genuine: int
    caught_before: int
    caught_after: int
    false_positives_before: int
    false_positives_after: int
    value: tuple[CaughtValue, ...]
    cost: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What n decisions were, and would have been.

    Attributes:
        decisions: n.
        flipped: how many would have had another outcome.
        outcomes: mildest first.
        labels: about those with labels.
    """

    decisions: int
    flipped: int
    outcomes: tuple[OutcomeFigures, ...]
    labels: LabelFigures


@dataclass(frozen=True, slots=True)
class FlipFigures:
    """Decisions with one outcome that would have had another one; `value` by currency."""

    before: str
    after: str
    decisions: int
    value: tuple[Amount, ...]


class Counter:
    """Counts sets of decisions.

    Args:
        columns: n decisions.
        currencies: the names behind `columns.codes["currency"]`.
        mature: bool[n], whether the label, if any, counts.
        costs: None: no costs are counted.
    """

    def __init__(
        self,
        columns: Columns,
        currencies: list[str],
        mature: NDArray[np.bool_],
        costs: Costs | None = None,
    ) -> None:
        self._columns = columns
        self._currencies = currencies
        self._mature = mature
        self._costs = costs
        self._units = np.array([10.0 ** -EXPONENT[name] for name in currencies])

    def figures(self, rows: Rows) -> Figures:
        """Return the figures of some rows."""
        before, after = self._columns.before[rows], self._columns.after[rows]
        counts = [np.bincount(which, minlength=len(OUTCOMES)).tolist() for which in (before, after)]
        n = max(1, len(rows))
        return Figures(
            len(rows),
            int((before != after).sum()),
            tuple(
                OutcomeFigures(outcome.value, was, would_be, was / n, would_be / n)
                for outcome, was, would_be in zip(OUTCOMES, *counts, strict=True)
            ),
            self._labels(rows),
        )

    def flips(self) -> tuple[FlipFigures, ...]:
        """Return every kind of flip that there is."""
        c = self._columns
        found = []
        kinds = c.before.astype(np.intp) * len(OUTCOMES) + c.after
        flipped = np.flatnonzero(c.before != c.after)
        for kind, rows in grouped(kinds, flipped):
            before, after = divmod(kind, len(OUTCOMES))
            value = self._amounts(rows)
            amounts = tuple(
                Amount(name, major(total, name)) for name, total in value.items() if total
            )
            flip = FlipFigures(OUTCOMES[before].value, OUTCOMES[after].value, len(rows), amounts)
            found.append(flip)
        return tuple(found)

    def _labels(self, rows: Rows) -> LabelFigures:
        c = self._columns
        labelled = rows[~np.isnan(c.fraud[rows])]
        old = labelled[self._mature[labelled]]
        fraud, genuine = old[c.fraud[old] == 1], old[c.fraud[old] == 0]
        caught = [fraud[outcome[fraud] != APPROVE] for outcome in (c.before, c.after)]
        stopped = [int((outcome[genuine] != APPROVE).sum()) for outcome in (c.before, c.after)]
        return LabelFigures(
            labelled=len(labelled),
            mature=len(old),
            fraud=len(fraud),
            genuine=len(genuine),
            caught_before=len(caught[0]),
            caught_after=len(caught[1]),
            false_positives_before=stopped[0],
            false_positives_after=stopped[1],
            value=self._caught(fraud, *caught),
            cost=self._cost(old),
        )

    def _caught(self, fraud: Rows, before: Rows, after: Rows) -> tuple[CaughtValue, ...]:
        whole, was, would_be = map(self._amounts, (fraud, before, after))
        return tuple(
            CaughtValue(
                name, major(total, name), major(was[name], name), major(would_be[name], name)
            )
            for name, total in whole.items()
            if total
        )

    def _cost(self, rows: Rows) -> tuple[Cost, ...]:
        if self._costs is None:
            return ()
        c = self._columns
        found = []
        for code, own in grouped(c.codes["currency"], rows):
            amount = c.amount_minor[own] * self._units[code]
            before, after = (
                float(self._costs.of(outcome[own], c.fraud[own], amount).sum())
                for outcome in (c.before, c.after)
            )
            found.append(Cost(self._currencies[code], before, after))
        return tuple(sorted(found, key=lambda cost: cost.currency))

    def _amounts(self, rows: Rows) -> dict[str, int]:
        """Currency -> sum of the amounts of some rows, in minor units; in the order of names."""
        totals: Int64 = np.zeros(len(self._currencies), np.int64)
        codes = self._columns.codes["currency"][rows]
        np.add.at(totals, codes, self._columns.amount_minor[rows])
        return dict(sorted(zip(self._currencies, totals.tolist(), strict=True)))


def grouped(codes: NDArray[Any], rows: Rows) -> list[tuple[int, Rows]]:
    """Return (code, its rows) of every code that some rows have, rising."""
    if not rows.size:
        return []
    own = codes[rows]
    order = np.argsort(own, kind="stable")
    starts = np.flatnonzero(np.diff(own[order])) + 1
    parts = np.split(rows[order], starts)
    return [(int(codes[part[0]]), part) for part in parts]


def major(amount_minor: int, currency: str) -> str:
    """Return an amount in minor units as a decimal number of currency units."""
    return f"{to_major(amount_minor, currency):f}"
