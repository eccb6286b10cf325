"""The label with noise: a column whose frauds are its other payments, moved by a constant.

A signal of the world changes its shape with fraud: frauds spread wider, bend other columns with
them, drift. Noise that was added to a label does none of that: both sides have one shape, and the
column has nothing to do with any other, given the label.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import ks_2samp

from fraud.payment.batch import Float64
from training.finding import Finding, Severity
from training.guard.rows import GuardRows
from training.sets.dataset import Dataset

LEAST_FRAUDS = 50
LEAST_SHIFT = 1.3
"""In deviations of the noise; below it the label is hidden well enough to do little harm."""
LEAST_RIGHT, WARNED_RIGHT = 0.85, 0.6
"""Share of labels that a flag repeats, of frauds and of others alike: refused, and told of."""

_MOST_ROWS = 4_000
_SAME_SHAPE = 1e-3
_ERRORS = 3.5
_SURE_ERROR = 0.02
"""A flag that repeats less is told of where chance moves its shares by less than this."""


def noisy_labels(dataset: Dataset, rows: GuardRows) -> list[Finding]:
    """Columns of a table that are its label with noise.

    One that moves from 0 to 1 with the label is refused, one that moves by something else told.
    """
    _, few = rows.every_nth(_MOST_ROWS)
    fraud = few.fraud > 0
    if fraud.sum() < LEAST_FRAUDS or fraud.all():
        return []
    values = np.asarray(dataset.values[few.rows], np.float64)
    numbers = [i for i in range(values.shape[1]) if i not in dataset.schema.categorical]
    found = []
    for i, name in enumerate(dataset.schema.names):
        finding = _turned(name, values[:, i], fraud)
        if finding is None and i in numbers:
            others = [values[:, j] for j in numbers if j != i]
            finding = _moved(name, values[:, i], others, fraud)
        if finding is not None:
            found.append(finding)
    return found


def _turned(name: str, values: Float64, fraud: np.ndarray) -> Finding | None:
    """A flag that repeats the label but for a share of it, the same on both sides."""
    distinct = np.unique(values)
    if distinct.size != 2 or np.isnan(distinct).any():
        return None
    on = values == distinct[1]
    if on[fraud].mean() < on[~fraud].mean():
        on = ~on
    right_bad, right_good = float(on[fraud].mean()), float((~on)[~fraud].mean())
    error = np.sqrt(right_good * (1 - right_good) * (1 / fraud.sum() + 1 / (~fraud).sum()))
    if min(right_bad, right_good) < WARNED_RIGHT or right_good == 1:
        return None
    refused = min(right_bad, right_good) >= LEAST_RIGHT
    if not refused and error > _SURE_ERROR:
        return None
    if abs(right_bad - right_good) > _ERRORS * error:
        return None
    it = "it is" if refused else "it looks like"
    return Finding(
        "refuse" if refused else "warn",
        "noisy-label",
        f"{name} says of {right_bad:.1%} of frauds and of {right_good:.1%} of others what the label"
        f" says, wrong as often on both sides: {it} the label with noise; honest only if {name} is"
        " known when the payment is decided",
        column=name,
    )


def _moved(name: str, values: Float64, others: list[Float64], fraud: np.ndarray) -> Finding | None:
    """A number that is moved by a constant, and otherwise the same."""
    there = np.isfinite(values)
    bad, good = values[there & fraud], values[there & ~fraud]
    if min(bad.size, good.size) < LEAST_FRAUDS:
        return None
    if np.unique(values[there]).size < there.sum() / 4:
        return None
    spread = float(good.std())
    if spread == 0:
        return None
    step = float(bad.mean() - good.mean())
    least = 1 / np.sqrt(2 * bad.size)
    if abs(step) < LEAST_SHIFT * spread or abs(np.log(max(bad.std(), 1e-12) / spread)) > (
        _ERRORS * least
    ):
        return None
    if ks_2samp(bad - step, good).pvalue < _SAME_SHAPE:
        return None
    if any(_goes_with(values, other, side) for other in others for side in (fraud, ~fraud)):
        return None
    error = spread / np.sqrt(bad.size)
    unit = abs(abs(step) - 1) < _ERRORS * error
    from_zero = min(abs(good.mean()), abs(bad.mean())) < _ERRORS * error
    centred = abs(good.mean() - round(good.mean(), 0)) < 2 * error and unit
    said = (
        f"{name} has one shape for frauds and others, moved by {step:g}, and goes with no other"
        f" column: it looks like the label with noise of {spread / abs(step):.2f}"
    )
    severity: Severity = "refuse" if unit and (from_zero or centred) else "warn"
    return Finding(
        severity,
        "noisy-label",
        f"{said}; honest only if {name} is known when the payment is decided",
        column=name,
    )


def _goes_with(values: Float64, other: Float64, side: np.ndarray) -> bool:
    """Whether two columns have to do with each other on one side of the label."""
    both = side & np.isfinite(other) & np.isfinite(values)
    if both.sum() < LEAST_FRAUDS or np.ptp(other[both]) == 0:
        return False
    one, two = (np.argsort(np.argsort(column[both])) for column in (values, other))
    correlation = abs(float(np.corrcoef(one, two)[0, 1]))
    return correlation > max(_ERRORS / float(np.sqrt(both.sum())), 0.04)
