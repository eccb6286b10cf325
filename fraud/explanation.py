"""What a variant answers when it is asked why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraud.payment.batch import Float64, packed


@dataclass(slots=True)  # see TransactionBatch
class Explanation:
    """What each feature added to m rows, and what is usual for it.

    Attributes:
        digest: SHA-256 of the manifest of the artifact that says so, hex.
        contributions: float64[m, n_features]: log-odds that each feature added, without the bias.
        low, high: float64[n_features]: between these lie the middle 80 % of the values that the
            model was trained on; NaN where that is not known.
        share: float64[m, n_features] in [0, 1]: how many of the rows that the model was trained on
            have a value like this row's (in the same bin, see `models.drift.Reference`), of those
            that have one; NaN where that is not known.
    """

    digest: str
    contributions: Float64
    low: Float64
    high: Float64
    share: Float64

    @classmethod
    def bare(cls, digest: str, contributions: Float64) -> Explanation:
        """Of a model of which nobody knows what is usual."""
        unknown = np.full(contributions.shape[1], np.nan)
        return cls(digest, contributions, unknown, unknown, np.full(contributions.shape, np.nan))

    def fits(self, m: int, n_features: int) -> bool:
        """Whether it is of so many rows and features."""
        wide = self.low.shape == self.high.shape == (n_features,)
        return wide and self.contributions.shape == self.share.shape == (m, n_features)

    def parts(self) -> tuple[Any, ...]:
        """Plain values that pickle fast (protocol 5); `explanation` inverts it."""
        arrays = (self.contributions, self.low, self.high, self.share)
        return self.digest, self.contributions.shape, *map(packed, arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        return explanation, self.parts()


def explanation(
    digest: str, shape: tuple[int, int], contributions: bytes, low: bytes, high: bytes, share: bytes
) -> Explanation:
    """The explanation of these `parts`."""
    return Explanation(
        digest,
        np.frombuffer(contributions, np.float64).reshape(shape),
        np.frombuffer(low, np.float64),
        np.frombuffer(high, np.float64),
        np.frombuffer(share, np.float64).reshape(shape),
    )
