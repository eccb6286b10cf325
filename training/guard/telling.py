"""Columns that tell the label: each alone, out of time.

The rule of Kaufman, Rosset and Perlich, "Leakage in Data Mining" (KDD 2011): a single input that
predicts far better than the problem allows is looked at before it is believed. A column is turned
into a score on the earlier rows (a direction, or the share of fraud of each value) and ranks the
later ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fraud.batch import Float64, Int64
from training.evaluation.ranking import Ranking, average_precision, roc_auc
from training.guard.finding import Finding
from training.guard.rows import Bools, GuardRows

REFUSED_AUC, REFUSED_AP = 0.999, 0.95
"""At both of them, out of time, a column is refused."""
WARNED_AUC = 0.99
LEAST_FRAUDS = 10
"""With fewer frauds among the later rows no column is judged by its ranking."""

_GLANCE_FRAUDS = 3_000
_GLANCE_AUC = 0.95
_FEW_VALUES = 256
_FLAG_VALUES = 8
_LEAST_PURE = 5
_CHANCE = 1e-9
_HALF = 0.5

_SPEAKING = re.compile(
    r"fraud|label|charge_?back|scenario|dispute|laundering|is_?(?:sar|bad|alert)\b|target|verdict"
    r"|outcome|confirmed",
    re.IGNORECASE,
)


def speaks(name: str) -> bool:
    """Whether a column's name speaks of what is to be found out.

    >>> speaks("TX_FRAUD_SCENARIO"), speaks("isFlaggedFraud"), speaks("V14")
    (True, True, False)
    """
    return _SPEAKING.search(name) is not None


@dataclass(frozen=True, slots=True)
class Column:
    """One input.

    Attributes:
        name: as its user knows it.
        values: float64[n] of the rows of a `GuardRows`, NaN where unknown.
        categorical: the numbers are codes.
        genuine_with: how many genuine rows of the whole set have a value (None: are known);
            what is pure among drawn rows need not be so among all.
        foreign: the name is of somebody else's choosing, and may speak.
        computed: a feature of this house, which another round holds to what was known then: risk
            is known only of whom labels have named, so that it is known tells little.
        identity: the values name somebody; that a thief's device meets fraud alone is no leak,
            unless it is that of most frauds.
    """

    name: str
    values: Float64
    categorical: bool
    genuine_with: Callable[[float | None], int]
    foreign: bool = True
    computed: bool = False
    identity: bool = False


def telling(columns: Iterable[Column], rows: GuardRows) -> list[Finding]:
    """What the columns tell of the label, a finding a column at most of each kind."""
    places, few = rows.every_nth(_GLANCE_FRAUDS)
    return [finding for c in columns for finding in _of(c, rows, places, few)]


def _of(column: Column, rows: GuardRows, places: Int64, few: GuardRows) -> Iterator[Finding]:
    # A glance at some rows spares most columns the close look at all.
    auc, precision = strength(column.values[places], column.categorical, few)
    if auc >= _GLANCE_AUC:
        auc, precision = strength(column.values, column.categorical, rows)
    said = (
        f"{column.name} alone finds fraud with ROC-AUC {auc:.4f} and average precision"
        f" {precision:.3f} on later payments"
    )
    if auc >= REFUSED_AUC and precision >= REFUSED_AP:
        yield Finding("refuse", "tells-label", f"{said}: it tells the label")
        return
    if auc >= WARNED_AUC:
        yield Finding("warn", "nearly-tells-label", f"{said}: see where it comes from")
    pure = _pure(column, rows)
    if pure is not None:
        yield pure
    elif column.foreign and speaks(column.name):
        yield Finding(
            "warn",
            "speaking-name",
            f"the name of column {column.name} speaks of the label: is it known at the payment?",
        )


def strength(values: Float64, categorical: bool, rows: GuardRows) -> tuple[float, float]:
    """ROC-AUC and average precision of a column alone on the later rows, the better of what its
    order, its values and its being known say; (0.5, 0.0) if there are too few frauds."""
    if min(rows.judged_frauds, int(rows.fraud[rows.earlier].sum())) < LEAST_FRAUDS:
        return 0.5, 0.0
    known = ~np.isnan(values)
    scores = []
    if not known.all() and known.any():
        scores.append(_by_value(known.astype(np.float64), rows))
    if known.any():
        filled = np.where(known, values, np.inf)
        if categorical or np.unique(filled).size <= _FEW_VALUES:
            scores.append(_by_value(filled, rows))
        if not categorical:
            scores.append(_by_order(values, known, rows))
    return max((_judge(score, rows) for score in scores), default=(0.5, 0.0))


def _by_value(values: Float64, rows: GuardRows) -> Float64:
    """Share of fraud of each row's value among the earlier rows; of a new value, that of all."""
    seen, code = np.unique(values[rows.earlier], return_inverse=True)
    weight, fraud = rows.weight[rows.earlier], rows.fraud[rows.earlier]
    share = np.bincount(code, weight * fraud) / np.bincount(code, weight)
    place = np.minimum(np.searchsorted(seen, values), seen.size - 1)
    overall = float(np.average(fraud, weights=weight))
    found: Float64 = np.where(seen[place] == values, share[place], overall)
    return found


def _by_order(values: Float64, known: Bools, rows: GuardRows) -> Float64:
    """The values, turned so that more is more suspicious; the unknown lie in the middle."""
    filled = np.where(known, values, np.median(values[known]))
    earlier = rows.earlier
    steps = Ranking(filled[earlier], rows.fraud[earlier]).steps()
    return filled if roc_auc(steps) >= _HALF else -filled


def _judge(score: Float64, rows: GuardRows) -> tuple[float, float]:
    later = ~rows.earlier
    ranking = Ranking(score[later], rows.fraud[later])
    steps = ranking.steps(rows.weight[later][ranking.order])
    return roc_auc(steps), average_precision(steps)


def _pure(column: Column, rows: GuardRows) -> Finding | None:
    """A value (or being known at all) that only frauds have, too often for chance."""
    values = column.values
    known = ~np.isnan(values)
    fraud = rows.fraud > 0
    n_frauds = int(fraud.sum())
    if n_frauds == 0:
        return None
    best: tuple[int, float | None] = (0, None)
    if not known.all() and known.any() and not (known & ~fraud).any():
        best = (int((known & fraud).sum()), None)
    # Numbers have tails, and the end of one may be fraud alone: a flag has two values or some.
    if column.categorical or (column.foreign and _is_flag(values)):
        found, code = np.unique(values[known], return_inverse=True)
        frauds = np.bincount(code, fraud[known], minlength=found.size)
        pure = np.bincount(code, ~fraud[known], minlength=found.size) == 0
        if pure.any():
            top = int(np.argmax(np.where(pure, frauds, 0)))
            best = max(best, (int(frauds[top]), float(found[top])), key=lambda b: b[0])
    count, value = best
    share = float(np.sum(rows.weight * rows.fraud) / np.sum(rows.weight))
    if count < _LEAST_PURE or share**count > _CHANCE or column.genuine_with(value):
        return None
    what = f"{column.name} is known" if value is None else f"{column.name} has one value"
    told = count / n_frauds
    if column.identity and value is not None and told < _HALF:
        return None
    if column.computed and value is None and told < _HALF:
        return None
    severe = told >= _HALF or (column.foreign and speaks(column.name))
    return Finding(
        "refuse" if severe else "warn",
        "fraud-only",
        f"{what} for {told:.1%} of frauds ({count:,}) and for no genuine payment",
    )


def _is_flag(values: Float64) -> bool:
    """Whether there are so few values that each means something."""
    for part in (values[:1_000], values):
        if np.unique(part[~np.isnan(part)]).size > _FLAG_VALUES:
            return False
    return True
