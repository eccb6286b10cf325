"""The features of a row as bytes, kept for when its transaction comes again."""

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
        ("hashes", "<u4", (len(ID_COLUMNS),)),
        ("degraded", "u1"),
    ]
)
ROW_BYTES = _ROW.itemsize
_BITS = {reason: 1 << i for i, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class FirstFeatures:
    """The features that a transaction got when it was first answered.

    Attributes:
        values: float32[n_features].
        age_ms: see `FeatureBatch.age_ms`.
        hashes: uint32[4], see `Events.hashes`: a row with other hashes is another payment.
        degraded: why the values are worse than they should be.
    """

    values: Float32
    age_ms: int
    hashes: NDArray[np.uint32]
    degraded: tuple[str, ...]


def pack_rows(
    values: Float32, age_ms: Int64, hashes: NDArray[np.uint32], degraded: Sequence[tuple[str, ...]]
) -> bytes:
    """Rows for `FeatureStore.remember`.

    Args:
        values: float32[n, n_features].
        age_ms: int64[n], see `FeatureBatch.age_ms`.
        hashes: uint32[n, 4], see `Events.hashes`.
        degraded: reasons of n rows.
    """
    rows = np.empty(len(values), dtype=_ROW)
    rows["values"], rows["age_ms"], rows["hashes"] = values, age_ms, hashes
    rows["degraded"] = [_bits(why) for why in degraded] if any(degraded) else 0
    return rows.tobytes()


def pack_recorded(
    values: bytes, age_ms: int, ids: Sequence[str | None], degraded: Sequence[str]
) -> bytes:
    """A row from the record of a decision, see `DecisionRecord.features`; `ids` are in the order of
    `entities.ID_COLUMNS`."""
    hashes = np.array([list(map(partner_hash, ids))], dtype=np.uint32)
    found = np.frombuffer(values, dtype="<f4")[np.newaxis]
    return pack_rows(found, np.array([age_ms]), hashes, [tuple(degraded)])


def unpack_row(row: bytes) -> FirstFeatures:
    """Invert `pack_rows` for one row."""
    read: Any = np.frombuffer(row, dtype=_ROW)[0]
    bits = int(read["degraded"])
    why = tuple(reason for reason, bit in _BITS.items() if bits & bit)
    return FirstFeatures(read["values"], int(read["age_ms"]), read["hashes"], why)


def _bits(why: Sequence[str]) -> int:
    # Reasons that concern votes are not kept with features.
    return sum({_BITS.get(reason, 0) for reason in why})
