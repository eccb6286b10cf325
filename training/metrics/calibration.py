"""Whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64
from training.metrics.ranking import Steps

BINS = 20
_BLOCK_ROWS = 512


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows in order of probability, cut into bins.

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
    """Bins of ranked probabilities, each with as much weight.

    A tie that lies across an edge is shared out by weight: the order of equal rows does not
    matter.

    Args:
        probability, weight: float64[n] in ranked order, from the highest probability down; weights
            >= 0, and not all of them 0.
        steps: of the ranking with these weights.
    """
    edges = np.linspace(0.0, steps.reviewed[-1], bins + 1)
    return _between(edges, probability, weight, steps)


def reliability_of_fraud(probability: Float64, steps: Steps, bins: int = BINS) -> Reliability:
    """Bins in each of which as much fraud was expected: small ones where probabilities are high,
    which bins of equal weight leave to the last of them.

    Args:
        probability: float64[n] in ranked order, each row of weight 1, not all of them 0.
        steps: of the ranking.
    """
    expected = np.concatenate([[0.0], np.cumsum(probability)])
    wanted = np.linspace(0.0, expected[-1], bins + 1)
    edges = np.unique(np.interp(wanted, expected, np.arange(expected.size)))
    edges[-1] = steps.reviewed[-1]
    return _between(edges, probability, np.ones(probability.size), steps)


def _between(edges: Float64, probability: Float64, weight: Float64, steps: Steps) -> Reliability:
    """Bins between weights reviewed from the top down, `edges` float64[bins + 1] rising from 0 to
    the whole."""
    said = np.diff(_along_rows(edges, weight, weight * probability))
    seen = np.diff(_along(edges, steps.reviewed, steps.caught))
    width = np.diff(edges)
    return Reliability(width / edges[-1], said / width, seen / width)


def _along_rows(edges: Float64, weight: Float64, mass: Float64) -> Float64:
    """Sum of `mass` over the first rows whose weight adds up to each edge; of the row that lies
    across it, the share.

    Only the blocks in which edges lie are added up row by row: a running sum of all rows would
    cost more than everything else that a resample needs.
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
    """float64[n] as float64[n_blocks, rows a block], the last one filled up with zeros."""
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
