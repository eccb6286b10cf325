"""The labelled rows that the guard examines: as many frauds as it can, and enough others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float64, Int64
from training.sets.split import FRAUD, UNKNOWN, Int8

MAX_FRAUDS = 20_000
MAX_OTHERS = 100_000
_FRAUDS_A_SLICE = 10
_MOST_SLICES = 8

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GuardRows:
    """n rows in the order of the dataset.

    Attributes:
        rows: int64[n], row numbers in the dataset, rising.
        fraud: float64[n], 1 for fraud, else 0.
        weight: float64[n], how many rows of the dataset each row represents.
        slices: int64[n], the slice of time of each row, from 0 on; slices hold about equally many
            frauds.
        n_slices: the number of slices.
    """

    rows: Int64
    fraud: Float64
    weight: Float64
    slices: Int64
    n_slices: int

    def thinned(self, keep: int) -> GuardRows:
        """About `keep` of the frauds and twice as many others, evenly spread over time."""
        kept = np.zeros(self.rows.size, bool)
        for which, limit in ((self.fraud > 0, keep), (self.fraud == 0, 2 * keep)):
            there = np.flatnonzero(which)
            kept[there[:: max(1, there.size // limit)]] = True
        places = np.flatnonzero(kept)
        # Fraud and genuine rows are thinned differently, so their weights change.
        weight = self.weight[places]
        for which in (self.fraud > 0, self.fraud == 0):
            chosen = which[places]
            if chosen.any():
                weight[chosen] *= which.sum() / chosen.sum()
        return GuardRows(
            self.rows[places], self.fraud[places], weight, self.slices[places], self.n_slices
        )


def guard_rows(
    label: Int8,
    timestamp_ms: Int64,
    seed: int,
    max_frauds: int = MAX_FRAUDS,
    max_others: int = MAX_OTHERS,
) -> GuardRows:
    """Draw the rows to examine.

    Args:
        label: int8[n]: 1 fraud, 0 genuine, -1 unknown.
        timestamp_ms: int64[n].
    """
    rng = np.random.default_rng(seed)
    rows, weights = [], []
    for which, limit in (
        (label == FRAUD, max_frauds),
        (~np.isin(label, (FRAUD, UNKNOWN)), max_others),
    ):
        there = np.flatnonzero(which)
        kept = there if there.size <= limit else rng.choice(there, limit, replace=False)
        rows.append(kept)
        weights.append(np.full(kept.size, there.size / max(kept.size, 1)))
    drawn = np.concatenate(rows)
    order = np.argsort(drawn)
    drawn, weight = drawn[order], np.concatenate(weights)[order]
    fraud = (label[drawn] == FRAUD).astype(np.float64)
    slices = _slices(timestamp_ms[drawn], fraud > 0)
    return GuardRows(drawn, fraud, weight, slices, int(slices.max(initial=0)) + 1)


def _slices(at_ms: Int64, fraud: Bools) -> Int64:
    """Slices of time between quantiles of the frauds; rows of one moment stay together."""
    of_frauds = np.sort(at_ms[fraud])
    count = int(np.clip(of_frauds.size // _FRAUDS_A_SLICE, 1, _MOST_SLICES))
    edges = [of_frauds[of_frauds.size * k // count] for k in range(1, count)]
    found: Int64 = np.searchsorted(np.unique(np.array(edges, np.int64)), at_ms, side="right")
    return found.astype(np.int64)
