"""Calibration of probabilities: predicted against observed fraud, by bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64
from training.metrics.ranking import Steps

BINS = 20
_BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True)
class CalibrationBins:
    """Rows in the order of their probability, cut into bins.

    Attributes:
        weight: float64[bins], share of all rows in each, in (0, 1].
        predicted: float64[bins], mean probability.
        observed: float64[bins], share of fraud.
    """

    weight: Float64
    predicted: Float64
    observed: Float64

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance between predicted and observed (Naeini,
        Cooper and Hauskrecht 2015, with bins of equal weight as in Nguyen and O'Connor 2015)."""
        return float(np.dot(self.weight, np.abs(self.predicted - self.observed)))


def calibration_bins(
    probability: Float64, weight: Float64, steps: Steps, bins: int = BINS
) -> CalibrationBins:
    """Bins of ranked probabilities, all of equal weight.

    A tie across an edge is divided by weight: the order of equal rows does not matter.

    Args:
        probability, weight: float64[n] in ranked order, from the highest probability down; weights
            >= 0, and not all of them 0.
        steps: of the ranking with these weights.
    """
    edges = np.linspace(0.0, steps.reviewed[-1], bins + 1)
    return _between(edges, probability, weight, steps)


def bins_of_equal_fraud(probability: Float64, steps: Steps, bins: int = BINS) -> CalibrationBins:
    """Bins of equal expected fraud: narrow where probabilities are high. Bins of equal weight would
    put all of that range into one.

    Args:
        probability: float64[n] in ranked order, each row of weight 1, not all of them 0.
        steps: of the ranking.
    """
    expected = np.concatenate([[0.0], np.cumsum(probability)])
    wanted = np.linspace(0.0, expected[-1], bins + 1)
    edges = np.unique(np.interp(wanted, expected, np.arange(expected.size)))
    edges[-1] = steps.reviewed[-1]
    return _between(edges, probability, np.ones(probability.size), steps)


def _between(
    edges: Float64, probability: Float64, weight: Float64, steps: Steps
) -> CalibrationBins:
    """Bins between weights reviewed from the top down, `edges` float64[bins + 1] rising from 0 to
    the whole."""
    predicted = np.diff(_along_rows(edges, weight, weight * probability))
    observed = np.diff(_along(edges, steps.reviewed, steps.caught))
    width = np.diff(edges)
    return CalibrationBins(width / edges[-1], predicted / width, observed / width)


def _along_rows(edges: Float64, weight: Float64, mass: Float64) -> Float64:
    """The sum of `mass` over the first rows whose weight adds up to each edge, with the row across
    the edge counted in part.

    Only the blocks that hold an edge are added up row by row: a running sum over all rows would
    cost more than the rest of a resample.
    """
    weights, masses = _blocks(weight), _blocks(mass)
    before_weight, before_mass = _before(weights.sum(axis=1)), _before(masses.sum(axis=1))
    block = np.minimum(np.searchsorted(before_weight[1:], edges), len(weights) - 1)
    within = before_weight[block, None] + np.cumsum(weights[block], axis=1)
    row = np.minimum((within < edges[:, None]).sum(axis=1), _BLOCK_ROWS - 1)
    each = np.arange(edges.size)
    beyond = np.maximum(within[each, row] - edges, 0.0)
    size = weights[block, row]
    share = np.divide(beyond, size, out=np.zeros_like(beyond), where=size > 0)
    upto = before_mass[block] + np.cumsum(masses[block], axis=1)[each, row]
    along: Float64 = upto - np.minimum(share, 1.0) * masses[block, row]
    return along


def _blocks(rows: Float64) -> Float64:
    """float64[n] as float64[n_blocks, rows per block], the last block padded with zeros."""
    n_blocks = -(-rows.size // _BLOCK_ROWS)
    blocks = np.zeros((n_blocks, _BLOCK_ROWS))
    blocks.reshape(-1)[: rows.size] = rows
    return blocks


def _before(sums: Float64) -> Float64:
    return np.concatenate([[0.0], np.cumsum(sums)])


def _along(edges: Float64, xs: Float64, ys: Float64) -> Float64:
    """`ys` at `edges` on the polyline through (xs, ys), xs from 0 on and never falling."""
    right = np.clip(np.searchsorted(xs, edges, side="left"), 1, xs.size - 1)
    left = right - 1
    step = np.where(xs[right] > xs[left], xs[right] - xs[left], 1.0)
    along: Float64 = ys[left] + (ys[right] - ys[left]) * (edges - xs[left]) / step
    return along
