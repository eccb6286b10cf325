"""Whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.batch import Float64
from training.evaluation.ranking import Steps

BINS = 20


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows in order of probability, cut into bins of equal weight.

    Attributes:
        weight: float64[bins], share of all rows in each, in (0, 1].
        said: float64[bins], mean probability.
        seen: float64[bins], share of fraud.
    """

    weight: Float64
    said: Float64
    seen: Float64

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance between what was said and what was seen
        (Naeini, Cooper and Hauskrecht 2015, with bins of equal weight as Nguyen and O'Connor
        2015)."""
        return float(np.dot(self.weight, np.abs(self.said - self.seen)))


def reliability(
    probability: Float64, weight: Float64, steps: Steps, bins: int = BINS
) -> Reliability:
    """Bins of ranked probabilities.

    A tie that lies across an edge is shared out by weight: the order of equal rows does not
    matter.

    Args:
        probability, weight: float64[n] in ranked order, from the highest probability down; weights
            >= 0, and not all of them 0.
        steps: of the ranking with these weights.
    """
    rows = np.cumsum(weight)
    edges = np.linspace(0.0, rows[-1], bins + 1)
    expected = np.cumsum(weight * probability)
    said = np.diff(_along(edges, rows, expected))
    seen = np.diff(_along(edges, steps.reviewed, steps.caught))
    width = np.diff(edges)
    return Reliability(width / rows[-1], said / width, seen / width)


def _along(edges: Float64, xs: Float64, ys: Float64) -> Float64:
    """`ys` at `edges` on the polyline from (0, 0) through (xs, ys), xs never falling."""
    right = np.minimum(np.searchsorted(xs, edges, side="left"), xs.size - 1)
    x0 = np.where(right > 0, xs[right - 1], 0.0)
    y0 = np.where(right > 0, ys[right - 1], 0.0)
    step = np.where(xs[right] > x0, xs[right] - x0, 1.0)
    along: Float64 = y0 + (ys[right] - y0) * (np.minimum(edges, xs[right]) - x0) / step
    return along
