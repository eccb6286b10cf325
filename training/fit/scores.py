"""The scores of every model on each part of a split: what figures, reports and gates rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64, Int64
from training.metrics.cases import Cases, cases
from training.sets.dataset import Dataset

ENSEMBLE = "ensemble"
"""The name of the plan's own probability beside the variants' scores."""


@dataclass(frozen=True, slots=True)
class ScoredPart:
    """n labelled rows of one part, in the order of time, with the scores of every model.

    Attributes:
        scores: model -> float64[n] in [0, 1] as served: calibrated scores of each variant, and
            under `ENSEMBLE` the probability that the plan makes of them.
        rows: int64[n], their row numbers in the dataset.
        fraud: float32[n], 1 for fraud, else 0.
        timestamp_ms: int64[n].
        customer_id: n ids; None if the set has no customers.
        amount: float64[n] in currency units, NaN where unknown.
        segment: see `Dataset.segment`.
    """

    scores: dict[str, Float64]
    rows: Int64
    fraud: Float32
    timestamp_ms: Int64
    customer_id: list[str] | None
    amount: Float64
    segment: dict[str, list[str | None]]

    @classmethod
    def of(cls, dataset: Dataset, rows: Int64, scores: dict[str, Float64]) -> ScoredPart:
        """The rows `rows` of a dataset with their scores."""
        numbers = rows.tolist()
        ids = dataset.customer_id
        return cls(
            scores=scores,
            rows=rows,
            fraud=dataset.label[rows].astype(np.float32),
            timestamp_ms=dataset.timestamp_ms[rows],
            customer_id=None if ids is None else [ids[i] for i in numbers],
            amount=dataset.amount[rows],
            segment={name: [v[i] for i in numbers] for name, v in dataset.segment.items()},
        )

    def cases(self) -> Cases:
        """The rows as columns for the metrics."""
        return cases(self.fraud, self.customer_id, self.timestamp_ms, self.amount, self.segment)


@dataclass(frozen=True, slots=True)
class SplitScores:
    """All parts that were held back from fitting.

    Attributes:
        test: nothing was fitted or chosen on it.
        validation: used by early stopping, the search and the ensemble's weights.
        calibration: calibration maps and thresholds were fitted on it; the same rows as
            `validation` where one slice serves both.
        probabilities: the models whose scores are probabilities; the others are anomaly scores.
    """

    test: ScoredPart
    validation: ScoredPart
    calibration: ScoredPart
    probabilities: frozenset[str]
