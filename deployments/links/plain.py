"""What crosses links with every payment, as plain values.

A class in a pickle is looked up by name at both ends, and what it holds is taken apart and put
together by calls in between: several times the price of the numbers, texts and bytes themselves. So
the few kinds that make up the traffic go as a number and their parts; anything else goes as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.batch import FeatureBatch, TransactionBatch, feature_batch, packed, parts_of
from fraud.decision import DecisionBatch, decision_batch
from fraud.explanation import Explanation, explanation
from fraud.score import VariantScores, variant_scores

Plain = tuple[int, Any]
"""The kind of a value, and its parts; kind 0 is anything, as it is."""


def plain(value: Any) -> Plain:
    """A value for a pickle of protocol 5. `whole` inverts it."""
    kind = _KINDS.get(type(value))
    return (0, value) if kind is None else kind(value)


def whole(kind: int, parts: Any) -> Any:
    """The value that `plain` was given. Arrays may be read-only."""
    return parts if kind == 0 else _MAKERS[kind](*parts)


def _array(value: NDArray[Any]) -> Plain:
    dtype = value.dtype
    if dtype.char not in "fd" or not dtype.isnative:
        return 0, value
    return 1, (packed(value), dtype.char, value.shape)


def _read_array(data: bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(data, dtype).reshape(shape)


_KINDS: dict[type, Callable[[Any], Plain]] = {
    np.ndarray: _array,
    TransactionBatch: lambda batch: (2, parts_of(batch)),
    FeatureBatch: lambda batch: (3, batch.parts()),
    VariantScores: lambda scores: (4, scores.parts()),
    DecisionBatch: lambda batch: (5, batch.parts()),
    Explanation: lambda why: (6, why.parts()),
}
_MAKERS: dict[int, Callable[..., Any]] = {
    1: _read_array,
    2: TransactionBatch,
    3: feature_batch,
    4: variant_scores,
    5: decision_batch,
    6: explanation,
}
