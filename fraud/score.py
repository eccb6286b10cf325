"""What a variant answers when it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.batch import Float64


@dataclass(frozen=True, slots=True)
class VariantScores:
    """Scores of one variant.

    Attributes:
        version: its artifact version (first 12 hex digits of the digest).
        digest: SHA-256 of its manifest, hex.
        scores: float64[n]: calibrated probabilities in [0, 1] (supervised) or anomaly scores in
            [0, 1], higher is stranger; NaN for a row it could not score.
    """

    version: str
    digest: str
    scores: Float64
