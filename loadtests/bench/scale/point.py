"""The measurements at one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REPLICAS, VARIANTS = "replicas a pool", "variants in the plan"
CUSTOMERS, HISTORY = "customers of state", "payments of one customer"
DIMENSIONS = (REPLICAS, VARIANTS, CUSTOMERS, HISTORY)
FLAT = 1.25
"""A measure that grows by less than this factor over a thousandfold size is flat: the rest is
noise."""
STATE_BYTES = "state bytes"
_FULL = 0.9
"""A state of at least this share of the largest one is full."""


@dataclass(frozen=True, slots=True)
class Point:
    """One size of one dimension.

    Attributes:
        dimension: one of `DIMENSIONS`.
        size: the number on this dimension.
        values: measure -> value; the same measures at every size of a dimension.
    """

    dimension: str
    size: int
    values: Mapping[str, float]


def growth(points: Sequence[Point], measure: str) -> float:
    """Return a measure at the largest size divided by that at the smallest. Where states are
    bounded, the smallest is the first with a full state, because zeros cost nothing."""
    largest = max(point.values.get(STATE_BYTES, 0.0) for point in points)
    full = [p for p in points if p.values.get(STATE_BYTES, 0.0) >= _FULL * largest]
    ordered = sorted(full, key=lambda point: point.size)
    return ordered[-1].values[measure] / ordered[0].values[measure]
