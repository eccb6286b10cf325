"""Contributions: what a variant returns to explain its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraud.payment.batch import Float64, packed


@dataclass(slots=True)  # see TransactionBatch
class Explanation:
    """What each feature added to m rows, and what is usual for it.

    Attributes:
        digest: SHA-256 of the explaining artifact's manifest, hex.
        contributions: float64[m, n_features]: log-odds that each feature added, without the bias.
        low, high: float64[n_features]: the middle 80 % of training values lie between these; NaN
            where unknown.
        share: float64[m, n_features] in [0, 1]: share of the training rows that have a value like
            this row's (in the same bin, see `models.drift`) among those that have one; NaN where
            unknown.
    """

    digest: str
    contributions: Float64
    low: Float64
    high: Float64
    share: Float64

    @classmethod
    def bare(cls, digest: str, contributions: Float64) -> Explanation:
        """Return an explanation by a model without a reference distribution: what is usual is
        unknown."""
        unknown = np.full(contributions.shape[1], np.nan)
        return cls(digest, contributions, unknown, unknown, np.full(contributions.shape, np.nan))

    def fits(self, m: int, n_features: int) -> bool:
        """Return whether the explanation is of m rows and this many features."""
        wide = self.low.shape == self.high.shape == (n_features,)
        return wide and self.contributions.shape == self.share.shape == (m, n_features)

    def parts(self) -> tuple[Any, ...]:
        """Return plain values that pickle fast (protocol 5); `explanation` inverts it."""
        arrays = (self.contributions, self.low, self.high, self.share)
        return self.digest, self.contributions.shape, *map(packed, arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        return explanation, self.parts()


def explanation(
    digest: str, shape: tuple[int, int], contributions: bytes, low: bytes, high: bytes, share: bytes
) -> Explanation:
    """Return the explanation of these `parts`."""
    return Explanation(
        digest,
        np.frombuffer(contributions, np.float64).reshape(shape),
        np.frombuffer(low, np.float64),
        np.frombuffer(high, np.float64),
        np.frombuffer(share, np.float64).reshape(shape),
    )
