"""What every model says of the parts of a split: the ground of figures, reports and gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64, Int64
from training.sets.dataset import Dataset

ENSEMBLE = "ensemble"
"""Name under which the plan's own probability stands beside the variants' scores."""


@dataclass(frozen=True, slots=True)
class Scored:
    """n labelled rows of one part, in the order of time, and what each model says of them.

    Attributes:
        scores: model -> float64[n] in [0, 1] as served: calibrated scores of each variant, and
            under `ENSEMBLE` the probability that the plan makes of them.
        rows: int64[n], their rows in the dataset.
        fraud: float32[n], 1 fraud and 0 not.
        timestamp_ms: int64[n].
        customer_id: n ids; None of a set without customers.
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


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All parts that were held back from fitting.

    Attributes:
        test: nothing was fitted or chosen on it.
        validation: early stopping, search and the ensemble's weights saw it.
        calibration: maps and thresholds were fitted on it; the same rows as `validation` where
            one slice had to do for both.
        probabilities: the models whose scores mean probabilities; the others are anomaly scores.
    """

    test: Scored
    validation: Scored
    calibration: Scored
    probabilities: frozenset[str]


def scored(dataset: Dataset, rows: Int64, scores: dict[str, Float64]) -> Scored:
    """The rows `rows` of a dataset beside their scores."""
    numbers = rows.tolist()
    ids = dataset.customer_id
    return Scored(
        scores=scores,
        rows=rows,
        fraud=dataset.label[rows].astype(np.float32),
        timestamp_ms=dataset.timestamp_ms[rows],
        customer_id=None if ids is None else [ids[i] for i in numbers],
        amount=dataset.amount[rows],
        segment={name: [v[i] for i in numbers] for name, v in dataset.segment.items()},
    )
