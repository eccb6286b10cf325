"""The share of fraud in a file, and probabilities that are adjusted to it.

If only the share of fraud differs between training and file, and fraud itself looks the same (label
shift), the probabilities of a calibrated model tell the file's share: the maximum of a likelihood
that the EM algorithm of Saerens, Latinne and Decaestecker finds, "Adjusting the outputs of a
classifier to new a priori probabilities: a simple procedure" (Neural Computation, 2002). The
interval is that of the profile likelihood (Wilks, 1938): with one parameter, the shares whose
log-likelihood is within 1.92 of the highest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64

MAX_ROUNDS = 10_000
_TOLERANCE = 1e-9
_HALF_CHI2_95 = 1.9207294103470620
_BINS_PER_UNIT = 200
_LARGEST = 16.0
_HALVINGS = 60
_ROWS_AT_ONCE = 1 << 16
"""Rows whose numbers in between are in memory at the same time."""


@dataclass(frozen=True, slots=True)
class ShareEstimate:
    """The share of fraud in a file.

    Attributes:
        share: estimate, in [0, 1].
        low, high: its 95 % interval. It covers the chance in drawing the rows, not errors of the
            model.
        converged: EM came to rest within `MAX_ROUNDS` rounds.
        rounds: of EM.
    """

    share: float
    low: float
    high: float
    converged: bool
    rounds: int


def estimate_share(probability: Float64 | Float32, prior: float) -> ShareEstimate:
    """Estimate the share of fraud.

    Args:
        probability: float64[n] or float32[n] in [0, 1], or NaN: unknown; at least one is known.
        prior: the share that they belong to, in (0, 1).
    """
    ratio, rows = _ratios(probability, prior)
    total = rows.sum()
    share, rounds, converged = prior, 0, False
    while rounds < MAX_ROUNDS and not converged:
        rounds += 1
        weighted = share * ratio
        following = float((rows * weighted / (weighted + 1 - share)).sum() / total)
        converged = abs(following - share) <= _TOLERANCE * max(following, 1e-6)
        share = following
    best = _log_likelihood(share, ratio, rows)
    return ShareEstimate(
        share,
        _bound(share, 0.0, best, ratio, rows),
        _bound(share, 1.0, best, ratio, rows),
        converged,
        rounds,
    )


def adjust(probability: Float64, prior: float, share: float) -> Float64:
    """float64[n]: probabilities of the share `prior` as those of `share`, both in (0, 1)."""
    found = np.empty(len(probability))
    for start in range(0, len(found), _ROWS_AT_ONCE):
        here = slice(start, start + _ROWS_AT_ONCE)
        fraud = probability[here] * (share / prior)
        genuine = (1 - probability[here]) * ((1 - share) / (1 - prior))
        found[here] = fraud / (fraud + genuine)
    return found


def _ratios(probability: Float64 | Float32, prior: float) -> tuple[Float64, Float64]:
    """Likelihood ratios of fraud to genuine, and how many rows have each: rows whose log ratios
    differ by less than 0.005 are taken together, so that a million rows cost a few thousand."""
    slots = int(2 * _LARGEST * _BINS_PER_UNIT) + 1
    rows, sums = np.zeros(slots), np.zeros(slots)
    training = np.log(prior) - np.log1p(-prior)
    for start in range(0, len(probability), _ROWS_AT_ONCE):
        part = probability[start : start + _ROWS_AT_ONCE].astype(np.float64)
        part = part[~np.isnan(part)]
        with np.errstate(divide="ignore"):
            log_ratio = np.log(part) - np.log1p(-part)
        log_ratio = np.clip(log_ratio - training, -_LARGEST, _LARGEST)
        slot = np.rint((log_ratio + _LARGEST) * _BINS_PER_UNIT).astype(np.int64)
        rows += np.bincount(slot, minlength=slots)
        sums += np.bincount(slot, weights=log_ratio, minlength=slots)
    filled = rows > 0
    return np.exp(sums[filled] / rows[filled]), rows[filled]


def _log_likelihood(share: float, ratio: Float64, rows: Float64) -> float:
    return float(rows @ np.log(np.maximum(share * ratio + 1 - share, 1e-300)))


def _bound(inside: float, outside: float, best: float, ratio: Float64, rows: Float64) -> float:
    """The share between two where the log-likelihood has fallen far enough: it is concave."""
    if best - _log_likelihood(outside, ratio, rows) <= _HALF_CHI2_95:
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if best - _log_likelihood(middle, ratio, rows) <= _HALF_CHI2_95:
            inside = middle
        else:
            outside = middle
    return inside
