"""Test rows that are identical to training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Int64
from training.finding import Finding
from training.sets.split import FRAUD, Int8

WARNED_SHARE, REFUSED_SHARE = 0.001, 0.2
"""Shares of test rows identical to a training row: of all rows for a warning; of all rows or of
the frauds for a refusal."""
LEAST_COPIES = 10
"""Fewer identical frauds may be chance, or one busy bot."""

_ROWS_AT_ONCE = 16_384
_EXAMPLES = 3
_APART = 4


def identical_pairs(values: Float32, train: Int64, test: Int64) -> Int64:
    """Pairs of identical rows: int64[m, 2], a test row and one equal training row.

    Args:
        values: float32[n, n_features]; NaN equals NaN.
        train, test: row numbers.
    """
    of_train, of_test = hashes(values, train), hashes(values, test)
    order = np.argsort(of_train, kind="stable")
    ranked = of_train[order]
    place = np.minimum(np.searchsorted(ranked, of_test), max(ranked.size - 1, 0))
    hit = np.flatnonzero(ranked[place] == of_test) if ranked.size else np.empty(0, np.int64)
    pairs = np.stack([test[hit], train[order[place[hit]]]], axis=1)
    return pairs.astype(np.int64)


def hashes(values: Float32, rows: Int64) -> NDArray[np.uint64]:
    """A hash of each row's values: uint64[m]. Among 1.3 million different rows a collision happens
    once in 10^7 sets."""
    factor = np.random.default_rng(0).integers(1, 2**63, values.shape[1], dtype=np.uint64)
    factor = factor * np.uint64(2) + np.uint64(1)
    found = np.empty(rows.size, np.uint64)
    for start in range(0, rows.size, _ROWS_AT_ONCE):
        part = np.asarray(values[rows[start : start + _ROWS_AT_ONCE]], np.float32) + np.float32(0)
        bits = np.where(np.isnan(part), np.float32(np.nan), part).view(np.uint32)
        mixed = (bits.astype(np.uint64) + np.uint64(1)) * factor
        mixed ^= mixed >> np.uint64(32)
        found[start : start + part.shape[0]] = (mixed * factor).sum(axis=1, dtype=np.uint64)
    return found


def identical_rows(values: Float32, train: Int64, test: Int64, label: Int8) -> list[Finding]:
    """A finding if too many test rows, or too many test frauds, are also training rows.

    Frauds are counted separately: oversampled frauds are too few to show among all rows.

    Args:
        label: int8[n]: 1 fraud, 0 genuine, -1 unknown.
    """
    if train.size == 0 or test.size == 0:
        return []
    pairs = identical_pairs(values, train, test)
    share = pairs.shape[0] / test.size
    frauds, known = (int((label[rows] == FRAUD).sum()) for rows in (test, pairs[:, 0]))
    of_frauds = known / max(frauds, 1)
    of_others = (pairs.shape[0] - known) / max(test.size - frauds, 1)
    copied = known >= LEAST_COPIES and of_frauds > REFUSED_SHARE and of_others < of_frauds / _APART
    if share <= WARNED_SHARE and not copied:
        return []
    shown = ", ".join(f"{a} = {b}" for a, b in pairs[:_EXAMPLES].tolist())
    return [
        Finding(
            "refuse" if copied or share > REFUSED_SHARE else "warn",
            "identical-rows",
            f"{pairs.shape[0]:,} of {test.size:,} test rows ({share:.2%}), and {known:,} of"
            f" {frauds:,} frauds among them, are identical to training"
            f" rows, such as {shown} (row numbers in the order of time, from 0)",
        )
    ]
