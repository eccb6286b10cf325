"""How much of the fraud a column finds, at what cost, and whether it does so at all times.

A column becomes a score by what its values, its order or its gaps meant in other slices of time.
The score becomes a flag at its best threshold. What counts does not depend on the rate of fraud:
the share of frauds with the flag, and the share of other payments with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.guard.rows import Bools, GuardRows
from training.metrics.ranking import Ranking, average_precision, roc_auc

LEAST_FRAUDS = 20
"""With fewer frauds no column is measured."""
FLAG_VALUES = 8
"""With at most this many values, each has a meaning."""

_FEW_VALUES = 256
_BINS = 64
_PRIOR = 0.5
_PRICE = 2.0
"""A flag's merit is its share of frauds less this many times its share of others."""
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column as a flag.

    Attributes:
        kind: what the flag is based on: `known` (filled or not), `value`, `order` or `bins`.
        recall: share of frauds with the flag.
        others: share of other payments with it.
        slices: float64[s], its recall in each slice of time.
        auc, precision: ROC-AUC and average precision of the score behind it.
    """

    kind: str
    recall: float
    others: float
    slices: Float64
    auc: float
    precision: float

    @property
    def likelihood(self) -> float:
        """How many times more often a fraud has the flag than another payment."""
        return self.recall / max(self.others, _NOTHING)

    def error(self, rows: GuardRows) -> float:
        """The standard error of the recall."""
        return float(np.sqrt(self.recall * (1 - self.recall) / max(rows.fraud.sum(), 1)))

    @property
    def least(self) -> float:
        """The recall in the worst slice."""
        return float(self.slices.min())

    @property
    def merit(self) -> float:
        """The figure by which the best flag is chosen."""
        return self.recall - _PRICE * self.others


def evidence(values: Float64, categorical: bool, rows: GuardRows) -> Evidence | None:
    """The best flag of a column; None with too few frauds, or if the column is constant.

    Args:
        values: float64[n] of the rows, NaN where unknown.
        categorical: the numbers are codes.
    """
    if rows.fraud.sum() < LEAST_FRAUDS or rows.n_slices < 2:
        return None
    found = [_flag(kind, score, rows) for kind, score in _scores(values, categorical, rows)]
    return max(found, key=lambda e: e.merit, default=None)


def _scores(values: Float64, categorical: bool, rows: GuardRows) -> Iterator[tuple[str, Float64]]:
    known = ~np.isnan(values)
    if not known.any():
        return
    if not known.all():
        yield "known", _learnt(known.astype(np.int64), rows)
    filled = np.where(known, values, np.inf)
    distinct, code = np.unique(filled, return_inverse=True)
    code = code.reshape(-1)
    if distinct.size < 2:
        return
    if categorical or distinct.size <= _FEW_VALUES:
        yield "value", _learnt(code, rows)
    if categorical or distinct.size <= 2:
        return
    yield "order", _oriented(values, known, rows)
    if distinct.size > _FEW_VALUES:
        mode = np.argmax(np.bincount(code))
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
        bins = np.searchsorted(edges, values, side="right") + 2
        bins[~known] = 1
        bins[code == mode] = 0
        yield "bins", _learnt(bins, rows)


def _learnt(code: Int64, rows: GuardRows) -> Float64:
    """The log-odds of each row's code, learnt in the slices of the other parity: passing patterns
    count little, lasting ones fully."""
    size = int(code.max()) + 1
    score = np.zeros(code.size)
    odd = rows.slices % 2 == 1
    for here in (odd, ~odd):
        there = ~here
        fraud = rows.fraud[there]
        bad = np.bincount(code[there], fraud, minlength=size)
        good = np.bincount(code[there], rows.weight[there] * (1 - fraud), minlength=size)
        total_bad, total_good = max(bad.sum(), 1.0), max(good.sum(), 1.0)
        # Both sides are shrunk towards "no information" by half a fraud.
        pull = _PRIOR * total_good / total_bad
        odds = np.log((bad + _PRIOR) / total_bad) - np.log((good + pull) / total_good)
        score[here] = odds[code[here]]
    return score


def _oriented(values: Float64, known: Bools, rows: GuardRows) -> Float64:
    """The values, or their negatives, so that higher is more suspicious; NaN as the median."""
    filled = np.where(known, values, np.median(values[known]))
    steps = Ranking(filled, rows.fraud).steps()
    return filled if roc_auc(steps) >= 0.5 else -filled


def _flag(kind: str, score: Float64, rows: GuardRows) -> Evidence:
    ranking = Ranking(score, rows.fraud)
    steps = ranking.steps(rows.weight[ranking.order])
    frauds = steps.caught[-1]
    recall = steps.caught / frauds
    others = (steps.reviewed - steps.caught) / max(steps.reviewed[-1] - frauds, _NOTHING)
    # A flag starts between ties: steps end there, or within a run of others.
    best = int(np.argmax(recall - _PRICE * others))
    upto = np.flatnonzero(np.cumsum(rows.weight[ranking.order]) >= steps.reviewed[best] - 1e-6)
    cut = score[ranking.order[upto[0]]] if best else np.inf
    on = (score >= cut) & (rows.fraud > 0)
    of_slice = np.bincount(rows.slices, rows.fraud, minlength=rows.n_slices)
    caught = np.bincount(rows.slices, on, minlength=rows.n_slices)
    return Evidence(
        kind=kind,
        recall=float(recall[best]),
        others=float(others[best]),
        slices=caught / np.maximum(of_slice, 1),
        auc=roc_auc(steps),
        precision=average_precision(steps),
    )
