"""The scores that a variant returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraud.payment.batch import Float64, packed


@dataclass(slots=True)  # see TransactionBatch
class VariantScores:
    """Scores of one variant.

    Attributes:
        version: its artifact version (first 12 hex digits of the digest).
        digest: SHA-256 of its manifest, hex.
        scores: float64[n]: calibrated probabilities in [0, 1] (supervised) or anomaly scores in
            [0, 1], higher is more unusual; NaN for a row that it could not score.
    """

    version: str
    digest: str
    scores: Float64

    def parts(self) -> tuple[Any, ...]:
        """Return plain values that pickle fast (protocol 5); `variant_scores` inverts it."""
        return self.version, self.digest, packed(self.scores)

    def __reduce__(self) -> tuple[Any, ...]:
        return variant_scores, self.parts()


def variant_scores(version: str, digest: str, scores: bytes) -> VariantScores:
    """Return the scores of these `parts`."""
    return VariantScores(version, digest, np.frombuffer(scores, np.float64))
