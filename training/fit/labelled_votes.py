"""Votes on labelled rows: what plans are fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fraud.payment.batch import Float32, Float64


@dataclass(frozen=True, slots=True)
class LabelledVotes:
    """Votes on n labelled rows of one part, in the order of time.

    Attributes:
        votes: supervised variant -> float64[n] calibrated scores.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        amount: float64[n] in currency units, NaN where unknown.
        anomaly: float64[n] scores of the anomaly variant; None without one.
    """

    votes: Mapping[str, Float64]
    fraud: Float32
    amount: Float64
    anomaly: Float64 | None = None
