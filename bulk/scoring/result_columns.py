"""The columns that Quorum adds to those of a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bulk.scoring.combining.levels import NAMES, UNKNOWN, Int8
from fraud.payment.batch import Float32

_PREFIX = "quorum_"


def result_columns(
    probability: Float32,
    level: Int8,
    high: float,
    measures: Mapping[str, Float32],
    scores: Mapping[str, Float32],
    models: str,
) -> dict[str, pa.Array]:
    """Return Quorum's columns for n rows, in their order. What is unknown is null.

    Args:
        probability, level: of the ensemble.
        high: probability from which the prediction is fraud.
        measures: anomaly, anomaly_reference and uncertainty.
        scores: name of a reference -> the probabilities of its model.
        models: versions, for every row.
    """
    unknown = np.isnan(probability)
    fraud = pa.array(probability >= np.float32(high), mask=unknown)
    return {
        f"{_PREFIX}prediction": pc.if_else(fraud, "fraud", "genuine"),
        f"{_PREFIX}probability": _numbers(probability),
        f"{_PREFIX}risk_level": _levels(level),
        **{f"{_PREFIX}{name}": _numbers(values) for name, values in measures.items()},
        **{f"{_PREFIX}score_{name}": _numbers(values) for name, values in scores.items()},
        f"{_PREFIX}models": pa.repeat(pa.scalar(models), len(probability)),
    }


def free_names(wanted: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """Return a name for each wanted one that the file does not have: itself, or with a number.

    >>> free_names(["a", "b"], ["a", "a_2"])
    {'a': 'a_3', 'b': 'b'}
    """
    used, found = set(taken), {}
    for name in wanted:
        free, number = name, 2
        while free in used:
            free, number = f"{name}_{number}", number + 1
        used.add(free)
        found[name] = free
    return found


def _numbers(values: Float32) -> pa.Array:
    return pa.array(values, pa.float32(), mask=np.isnan(values))


def _levels(level: Int8) -> pa.Array:
    names = pa.array(NAMES)
    return names.take(pa.array(level, pa.int8(), mask=level == UNKNOWN))
