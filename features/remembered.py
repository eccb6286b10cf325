"""What is remembered of a row, for when its transaction comes again."""

from __future__ import annotations

import numpy as np

from features.definitions import N_FEATURES
from fraud.batch import Float32, Int64

_ROW = np.dtype([("values", "<f4", (N_FEATURES,)), ("age_ms", "<i8")])


def rows_of(values: Float32, age_ms: Int64) -> bytes:
    """Rows for `FeatureStore.remember`.

    Args:
        values: float32[n, n_features].
        age_ms: int64[n]: see `FeatureBatch.age_ms`.
    """
    rows = np.empty(len(values), dtype=_ROW)
    rows["values"], rows["age_ms"] = values, age_ms
    return rows.tobytes()


def row_on_record(values: bytes, age_ms: int) -> bytes:
    """A row out of the record of a decision: see `DecisionRecord.features`."""
    return rows_of(np.frombuffer(values, dtype="<f4")[np.newaxis], np.array([age_ms]))


def read_row(row: bytes) -> tuple[Float32, int]:
    """float32[n_features] and the age in milliseconds."""
    read = np.frombuffer(row, dtype=_ROW)[0]
    return read["values"], int(read["age_ms"])
