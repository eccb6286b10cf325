"""Card precision: of the customers that a team checks each day, the share with fraud."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fraud.payment.batch import Float64, Int64
from training.sets.split import DAY_MS

CARDS_A_DAY = 100
_AHEAD = 16
"""Only this multiple of the day's budget of customers is ranked, unless that is not enough."""

Bools = npt.NDArray[np.bool_]


class CardDays:
    """Each day's customers, those with the highest score of the day first.

    Args:
        score: float64[n].
        fraud: float64[n], 1 for fraud, else 0.
        customer: int64[n] codes 0 .. n_customers - 1; ties are ordered by them.
        timestamp_ms: int64[n].
    """

    def __init__(
        self, score: Float64, fraud: Float64, customer: Int64, timestamp_ms: Int64
    ) -> None:
        self._n_customers = int(customer.max()) + 1 if customer.size else 0
        order = np.lexsort((customer, timestamp_ms // DAY_MS))
        day, card = (timestamp_ms // DAY_MS)[order], customer[order]
        starts = np.flatnonzero(
            np.concatenate([[True], (day[1:] != day[:-1]) | (card[1:] != card[:-1])])
        )
        worst = np.maximum.reduceat(score[order], starts)
        defrauded = np.maximum.reduceat(fraud[order], starts) > 0
        day, card = day[starts], card[starts]
        ranked = np.lexsort((card, -worst, day))
        cuts = np.flatnonzero(np.diff(day[ranked])) + 1
        self._days: list[tuple[Int64, Bools]] = [
            (card[part], defrauded[part]) for part in np.split(ranked, cuts)
        ]

    def precision(self, copies: Float64 | None = None, cards: int = CARDS_A_DAY) -> float:
        """The share of each day's `cards` highest customers that had fraud that day, averaged over
        days. A customer found once is not counted again, as its card is blocked. If a day has fewer
        customers, all are checked.

        Args:
            copies: float64[n_customers], how often each customer occurs; None: once.

        Returns:
            In [0, 1]; 0 if no customer is left on any day.
        """
        left = np.ones(self._n_customers) if copies is None else copies.copy()
        shares = []
        for card, defrauded in self._days:
            looked_at, within = _highest(left[card[: _AHEAD * cards]], cards)
            if looked_at < cards and card.size > _AHEAD * cards:
                looked_at, within = _highest(left[card], cards)
            if looked_at <= 0:
                continue
            hit = defrauded[: within.size] & (within > 0)
            shares.append(float(within[hit].sum()) / looked_at)
            left[card[: within.size][hit]] = 0.0
        return float(np.mean(shares)) if shares else 0.0


def _highest(copies: Float64, cards: int) -> tuple[float, Float64]:
    """The copies among the first `cards` of a ranking, in total and of each customer."""
    before = np.cumsum(copies) - copies
    within = np.clip(cards - before, 0.0, copies)
    return float(within.sum()), within
