"""What is remembered of a row, for when its transaction comes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.definitions import N_FEATURES
from features.degraded import REASONS
from features.state.entities import ID_COLUMNS
from features.state.state import partner_hash
from fraud.payment.batch import Float32, Int64

_ROW = np.dtype(
    [
        ("values", "<f4", (N_FEATURES,)),
        ("age_ms", "<i8"),
        ("who", "<u4", (len(ID_COLUMNS),)),
        ("degraded", "u1"),
    ]
)
ROW_BYTES = _ROW.itemsize
_BITS = {reason: 1 << i for i, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Remembered:
    """A row as its transaction was first answered.

    Attributes:
        values: float32[n_features].
        age_ms: see `FeatureBatch.age_ms`.
        who: uint32[4]: of whom it named, see `Events.hashes`: with another one it is another
            payment.
        degraded: why the values are poorer than they should be.
    """

    values: Float32
    age_ms: int
    who: NDArray[np.uint32]
    degraded: tuple[str, ...]


def rows_of(
    values: Float32, age_ms: Int64, who: NDArray[np.uint32], degraded: Sequence[tuple[str, ...]]
) -> bytes:
    """Rows for `FeatureStore.remember`.

    Args:
        values: float32[n, n_features].
        age_ms: int64[n]: see `FeatureBatch.age_ms`.
        who: uint32[n, 4].
        degraded: of n rows.
    """
    rows = np.empty(len(values), dtype=_ROW)
    rows["values"], rows["age_ms"], rows["who"] = values, age_ms, who
    rows["degraded"] = [_bits(why) for why in degraded] if any(degraded) else 0
    return rows.tobytes()


def row_on_record(
    values: bytes, age_ms: int, ids: Sequence[str | None], degraded: Sequence[str]
) -> bytes:
    """A row out of the record of a decision: see `DecisionRecord.features`. `ids`: whom it named,
    in the order of `entities.ID_COLUMNS`."""
    of = np.array([list(map(partner_hash, ids))], dtype=np.uint32)
    found = np.frombuffer(values, dtype="<f4")[np.newaxis]
    return rows_of(found, np.array([age_ms]), of, [tuple(degraded)])


def read_row(row: bytes) -> Remembered:
    """Invert `rows_of` for one row."""
    read: Any = np.frombuffer(row, dtype=_ROW)[0]
    bits = int(read["degraded"])
    why = tuple(reason for reason, bit in _BITS.items() if bits & bit)
    return Remembered(read["values"], int(read["age_ms"]), read["who"], why)


def _bits(why: Sequence[str]) -> int:
    # What variants did is no business of features.
    return sum({_BITS.get(reason, 0) for reason in why})
