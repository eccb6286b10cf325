"""The label with noise: a column in which frauds look like other payments shifted by a constant.

A real signal changes its shape with fraud: frauds spread wider, other columns change with them, and
they drift. Noise added to a label does none of that: both sides have the same shape, and given the
label the column is independent of all others.
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
"""In standard deviations of the noise; below it the label is hidden well enough."""
LEAST_RIGHT, WARNED_RIGHT = 0.85, 0.6
"""The share of labels that a flag repeats, for frauds and others alike, to be refused, and to get a
warning."""

_MOST_ROWS = 4_000
_SAME_SHAPE = 1e-3
_ERRORS = 3.5
_SURE_ERROR = 0.02
"""A weaker flag gets a warning only if the standard error of its shares is below this."""


def noisy_labels(dataset: Dataset, rows: GuardRows) -> list[Finding]:
    """Findings on columns of a table that are its label with noise.

    A shift from 0 to 1 with the label is refused; any other shift is a warning.
    """
    few = rows.thinned(_MOST_ROWS)
    fraud = few.fraud > 0
    if fraud.sum() < LEAST_FRAUDS or fraud.all():
        return []
    values = np.asarray(dataset.values[few.rows], np.float64)
    numbers = [i for i in range(values.shape[1]) if i not in dataset.schema.categorical]
    found = []
    for i, name in enumerate(dataset.schema.names):
        finding = _flipped(name, values[:, i], fraud)
        if finding is None and i in numbers:
            others = [values[:, j] for j in numbers if j != i]
            finding = _shifted(name, values[:, i], others, fraud)
        if finding is not None:
            found.append(finding)
    return found


def _flipped(name: str, values: Float64, fraud: np.ndarray) -> Finding | None:
    """A flag that repeats the label except for an equal share of frauds and of others."""
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
    verb = "is" if refused else "looks like"
    return Finding(
        "refuse" if refused else "warn",
        "noisy-label",
        f"{name} equals the label for {right_bad:.1%} of frauds and {right_good:.1%} of others,"
        f" wrong equally often on both sides: it {verb} the label with noise; honest only if {name}"
        " is known when the payment is decided",
        column=name,
    )


def _shifted(
    name: str, values: Float64, others: list[Float64], fraud: np.ndarray
) -> Finding | None:
    """A number that fraud shifts by a constant and does not change otherwise."""
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
    if any(_correlates(values, other, side) for other in others for side in (fraud, ~fraud)):
        return None
    error = spread / np.sqrt(bad.size)
    unit = abs(abs(step) - 1) < _ERRORS * error
    from_zero = min(abs(good.mean()), abs(bad.mean())) < _ERRORS * error
    centred = abs(good.mean() - round(good.mean(), 0)) < 2 * error and unit
    measured = (
        f"{name} has the same shape for frauds and others, shifted by {step:g}, and is independent"
        f" of all other columns: it looks like the label with noise of {spread / abs(step):.2f}"
    )
    severity: Severity = "refuse" if unit and (from_zero or centred) else "warn"
    return Finding(
        severity,
        "noisy-label",
        f"{measured}; honest only if {name} is known when the payment is decided",
        column=name,
    )


def _correlates(values: Float64, other: Float64, side: np.ndarray) -> bool:
    """Whether two columns correlate on one side of the label."""
    both = side & np.isfinite(other) & np.isfinite(values)
    if both.sum() < LEAST_FRAUDS or np.ptp(other[both]) == 0:
        return False
    one, two = (np.argsort(np.argsort(column[both])) for column in (values, other))
    correlation = abs(float(np.corrcoef(one, two)[0, 1]))
    return correlation > max(_ERRORS / float(np.sqrt(both.sum())), 0.04)
