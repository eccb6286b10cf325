"""Partial effects: how the ensemble's probability changes with one feature.

For numbers: accumulated local effects (Apley and Zhu 2020). They move a payment only to the edges
of its own bin, so that the models score payments that can occur; partial dependence would combine
each value with the other columns of every payment, however impossible. For codes, which have no
order: partial dependence (Friedman 2001). Both are on the log-odds scale, as the factor by which
the odds of fraud differ from their mean over payments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64
from training.evaluate.importance import ExplainedRows, Scorer

LEVELS = (0.0, 0.005, 0.02, *(i / 20 for i in range(1, 20)), 0.98, 0.99, 0.995, 0.999, 1.0)
"""The quantiles that bound a number's bins: dense in the tails, where fraud is."""
CODES = 8
_CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of one column.

    Attributes:
        column: its number.
        is_code: `x` are codes, not numbers.
        x: float64[k], rising edges of a number's bins, or the k most frequent codes.
        factor: float64[k], odds of fraud at x over their mean over payments, > 0.
        missing: the same factor if the column is made unknown; None if it is always known.
        missing_share: share of payments in which it is unknown, in [0, 1].
        spread: float64[11], deciles of the known values, rising; empty for codes.
        share: float64[k], share of payments with each code; empty for numbers.
    """

    column: int
    is_code: bool
    x: Float64
    factor: Float64
    missing: float | None
    missing_share: float
    spread: Float64
    share: Float64


def effect(score: Scorer, sample: ExplainedRows, column: int, is_code: bool) -> Effect | None:
    """The effect of a column on `score`; None if it has fewer than two different values."""
    cells = sample.values[:, column].astype(np.float64)
    known = np.isfinite(cells)
    if np.unique(cells[known]).size < 2:
        return None
    found = _of_codes if is_code else _of_numbers
    x, log_odds, spread, share = found(score, sample, column, known)
    missing, missing_share = None, float(np.average(~known, weights=sample.weight))
    if not known.all():
        unknown = sample.values.copy()
        unknown[:, column] = np.nan
        # Compared with the same payments as they are: the effect of not knowing alone.
        moved = _log_odds(score(unknown)) - _log_odds(score(sample.values))
        missing = float(np.exp(np.average(moved[known], weights=sample.weight[known])))
    return Effect(column, is_code, x, np.exp(log_odds), missing, missing_share, spread, share)


_Parts = tuple[Float64, Float64, Float64, Float64]


def _of_numbers(score: Scorer, sample: ExplainedRows, column: int, known: np.ndarray) -> _Parts:
    values, weight = sample.values[known], sample.weight[known]
    cells = values[:, column].astype(np.float64)
    edges = np.unique(_quantiles(cells, weight, np.array(LEVELS)))
    at = np.clip(np.searchsorted(edges, cells, side="left") - 1, 0, edges.size - 2)
    ends = []
    for edge in (edges[at], edges[at + 1]):
        moved = values.copy()
        moved[:, column] = edge
        ends.append(_log_odds(score(moved)))
    mass = np.bincount(at, weight, minlength=edges.size - 1)
    local = np.bincount(at, weight * (ends[1] - ends[0]), minlength=edges.size - 1)
    steps = np.divide(local, mass, out=np.zeros_like(local), where=mass > 0)
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    centred = curve - np.average((curve[1:] + curve[:-1]) / 2, weights=mass)
    return edges, centred, _quantiles(cells, weight, np.linspace(0, 1, 11)), np.zeros(0)


def _of_codes(score: Scorer, sample: ExplainedRows, column: int, known: np.ndarray) -> _Parts:
    cells = sample.values[known, column].astype(np.float64)
    codes, place = np.unique(cells, return_inverse=True)
    mass = np.bincount(place.reshape(-1), sample.weight[known])
    shown = np.sort(np.argsort(-mass, kind="stable")[:CODES])
    means = []
    for code in codes[shown]:
        moved = sample.values.copy()
        moved[:, column] = code
        means.append(np.average(_log_odds(score(moved)), weights=sample.weight))
    curve = np.array(means)
    share = mass[shown] / sample.weight.sum()
    return codes[shown], curve - np.average(curve, weights=mass[shown]), np.zeros(0), share


def _quantiles(cells: Float64, weight: Float64, levels: Float64) -> Float64:
    """The weighted quantiles of the cells at the given levels."""
    order = np.argsort(cells, kind="stable")
    below = np.cumsum(weight[order])
    at = np.searchsorted(below, levels * below[-1], side="left")
    found: Float64 = cells[order][np.minimum(at, cells.size - 1)]
    return found


def _log_odds(probability: Float64) -> Float64:
    p = np.clip(probability, _CERTAIN, 1 - _CERTAIN)
    odds: Float64 = np.log(p) - np.log1p(-p)
    return odds
