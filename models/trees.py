"""What each feature adds to the log-odds of boosted trees: the Shapley values of TreeSHAP.

S. Lundberg et al., Consistent individualized feature attribution for tree ensembles, 2018,
arXiv:1802.03888.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Float64

_LEAST_SHARE = np.float32(1e-9)


@dataclass(frozen=True, slots=True)
class Leaves:
    """The n leaves of a forest as conditions on a row: one slot of a leaf for each feature on the
    path to it from the root.

    A leaf with fewer than k slots is filled up with slots that every row passes: feature 0, low
    -inf, high inf, missing True, share 1.

    Attributes:
        feature: int32[k, n], column that a slot looks at.
        low, high: float32[k, n]; a row passes where `low <= x < high`.
        missing: bool[k, n]; whether a row passes where x is NaN.
        share: float32[k, n] in [0, 1]: of the training rows that met the slot's splits, the part
            that passed.
        value: float32[n], log-odds that a leaf adds.
    """

    feature: NDArray[np.int32]
    low: Float32
    high: Float32
    missing: NDArray[np.bool_]
    share: Float32
    value: Float32


class TreeContributions:
    """What each feature adds to the log-odds of a forest. Safe from several threads.

    Args:
        leaves: of the forest.
        n_features: width of the feature matrix.

    Raises:
        ValueError: the leaves are malformed, or use more features.
    """

    def __init__(self, leaves: Leaves, n_features: int) -> None:
        _check(leaves, n_features)
        self._leaves = leaves
        self._n_features = n_features
        self._feature = leaves.feature.astype(np.intp)  # NumPy indexes by it without a copy
        # Slots by feature: sums over adjacent ones take half the time of a bincount.
        flat = self._feature.reshape(-1)
        self._order = np.argsort(flat, kind="stable")
        self._used, self._starts = np.unique(flat[self._order], return_index=True)
        self._share = np.maximum(leaves.share, _LEAST_SHARE)
        # Shapley values average over all orders in which features become known: an integral over
        # the probability that another feature is known already. The integrand is a polynomial,
        # which Gauss-Legendre quadrature with half as many points as slots integrates exactly.
        points, weights = np.polynomial.legendre.leggauss(max(1, (len(leaves.share) + 1) // 2))
        self._known = ((points + 1) / 2).astype(np.float32)
        self._weights = (weights / 2).astype(np.float32)
        self._unknown = [self._share * (1 - known) for known in self._known]

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], NaN where unknown -> float64[m, n_features]: log-odds, without
        the bias."""
        found = np.zeros((len(values), self._n_features))
        if self._used.size:
            for i, row in enumerate(values):
                found[i, self._used] = self._of(row)
        return found

    def _of(self, row: Float32) -> Float64:
        """What each used feature adds to one row."""
        leaves = self._leaves
        x = row.take(self._feature)
        passed = (x >= leaves.low) & (x < leaves.high)
        passed |= np.isnan(x) & leaves.missing
        passes = passed.astype(np.float32)
        others = np.zeros_like(passes)
        for known, weight, unknown in zip(self._known, self._weights, self._unknown, strict=True):
            factor = passes * known
            factor += unknown
            others += np.divide(weight * factor.prod(axis=0), factor, out=factor)
        passes -= self._share
        passes *= others
        passes *= leaves.value
        by_feature = passes.reshape(-1).take(self._order)
        return np.add.reduceat(by_feature, self._starts, dtype=np.float64)

    def to_bytes(self) -> bytes:
        """As a file; `from_bytes` inverts it."""
        body = io.BytesIO()
        np.savez(body, n_features=np.int64(self._n_features), **asdict(self._leaves))
        return body.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes, n_features: int) -> TreeContributions:
        """Invert `to_bytes`. Raises ValueError, or any error of NumPy, for other bytes."""
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            width = int(file["n_features"])
            leaves = Leaves(**{field.name: file[field.name] for field in fields(Leaves)})
        if width != n_features:
            raise ValueError(f"leaves of {width} features, not of {n_features}")
        return cls(leaves, n_features)


def _check(leaves: Leaves, n_features: int) -> None:
    shape = leaves.feature.shape
    slots = (leaves.low, leaves.high, leaves.missing, leaves.share)
    if len(shape) != 2 or any(array.shape != shape for array in slots):
        raise ValueError("slots of different shapes")
    if leaves.value.shape != shape[1:] or not np.isfinite(leaves.value).all():
        raise ValueError("not one finite value for each leaf")
    if leaves.feature.size and not 0 <= leaves.feature.min() <= leaves.feature.max() < n_features:
        raise ValueError(f"a feature outside 0..{n_features - 1}")
    if not ((leaves.share >= 0) & (leaves.share <= 1)).all():
        raise ValueError("a share outside [0, 1]")
