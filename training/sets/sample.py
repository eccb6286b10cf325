"""The rows that models are fitted on, shipped to the workers once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Int64
from training.sets.schema import FeatureSchema
from training.sets.split import FRAUD, Int8

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Training and validation rows.

    Attributes:
        x_train, x_validation: float32[n, n_features], NaN where unknown, C-contiguous.
        y_train, y_validation: float32[n]: 1 for fraud, else 0.
        weight_train: float32[n], > 0: 1, or more for genuine rows that represent several.
        feature_names: n_features names.
        categorical: column numbers of integer codes.
    """

    x_train: Float32
    y_train: Float32
    weight_train: Float32
    x_validation: Float32
    y_validation: Float32
    feature_names: tuple[str, ...]
    categorical: tuple[int, ...]


def draw_sample(
    values: Float32,
    label: Int8,
    train: Int64,
    validation: Int64,
    schema: FeatureSchema,
    max_rows: int,
    seed: int,
) -> Sample:
    """Take the rows `train` and `validation` from the whole matrix.

    Beyond `max_rows` every fraud is kept and genuine rows are thinned at random. The kept ones are
    weighted up, so that sums, and with them probabilities, stay unbiased.
    """
    chosen, weight = thin(label[train] == FRAUD, max_rows, seed)
    rows = train[chosen]
    return Sample(
        x_train=np.ascontiguousarray(values[rows]),
        y_train=label[rows].astype(np.float32),
        weight_train=weight,
        x_validation=np.ascontiguousarray(values[validation]),
        y_validation=label[validation].astype(np.float32),
        feature_names=schema.names,
        categorical=schema.categorical,
    )


def thin(fraud: Bools, max_rows: int, seed: int) -> tuple[Int64, Float32]:
    """Choose at most `max_rows` of the rows `fraud` bool[n]: every fraud, and others at random.

    Returns:
        Row numbers int64[m], rising, and the number of rows that each represents: float32[m].
    """
    rows = np.arange(fraud.size)
    if fraud.size <= max_rows:
        return rows, np.ones(rows.size, np.float32)
    others = rows[~fraud]
    # At least as many others as frauds, however tight the limit is.
    wanted = min(others.size, max(max_rows - int(fraud.sum()), int(fraud.sum()), 1))
    kept = np.random.default_rng(seed).choice(others, wanted, replace=False)
    chosen = np.sort(np.concatenate([rows[fraud], kept]))
    weight = np.where(fraud[chosen], 1.0, others.size / wanted)
    return chosen, weight.astype(np.float32)
