"""Monotone piecewise linear maps from a raw score to a probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraud.payment.batch import Float64

Knots = Sequence[tuple[float, float]]


class Calibration:
    """A piecewise linear map, flat outside its outermost knots.

    Args:
        knots: `(x, y)`, x strictly rising, y never falling and in [0, 1]; () is the identity.

    >>> half = Calibration([(0.0, 0.0), (1.0, 0.5)])
    >>> half(np.array([-1.0, 0.5, 2.0, np.nan])).tolist()
    [0.0, 0.25, 0.5, nan]
    """

    __slots__ = ("_x", "_y")

    def __init__(self, knots: Knots) -> None:
        self._x = np.array([x for x, _ in knots], dtype=np.float64)
        self._y = np.array([y for _, y in knots], dtype=np.float64)
        if np.any(np.diff(self._x) <= 0) or np.any(np.diff(self._y) < 0):
            raise ValueError("calibration: expected knots that rise in x and never fall in y")
        if np.any((self._y < 0) | (self._y > 1)) or not np.all(np.isfinite(self._x)):
            raise ValueError("calibration: expected finite knots with y in [0, 1]")

    def __call__(self, scores: Float64) -> Float64:
        """Map float64[n] to float64[n]; NaN stays NaN. Without knots, return `scores` itself."""
        if not self._x.size:
            return scores
        return np.interp(scores, self._x, self._y)
