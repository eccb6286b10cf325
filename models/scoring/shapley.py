"""Contributions of every feature to a forest's sum, looked up instead of computed.

A leaf of a shallow tree sees a row through a few features, each of which either leads towards it or
does not: of six, 64 patterns. What each pattern gives each feature does not depend on the row, so
that it is computed once. It is the idea of Fast TreeSHAP v2 (J. Yang, 2021, arXiv:2109.09847); the
values are those of TreeSHAP, S. Lundberg et al., 2018, arXiv:1802.03888, by the cover of the
training rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Float64

MOST_SLOTS = 8
MOST_BYTES = 64 * 2**20
_LEAVES_AT_ONCE = 256
_COLUMNS = (
    *("left_children", "right_children", "split_indices", "split_conditions"),
    *("sum_hessian", "default_left"),
)


class Unsuitable(Exception):
    """This forest is sound, but not for tables."""


@dataclass(slots=True)
class _Slot:
    """What one feature must be for a row to go towards a leaf: low <= x < high, or unknown.

    Attributes:
        share: of the training rows that got to the feature's splits, how many went on to the leaf.
    """

    low: float = -np.inf
    high: float = np.inf
    unknown: bool = True
    share: float = 1.0


class ShapleyTables:
    """A forest, ready to be asked what each feature added. Safe from several threads.

    Args:
        trees: XGBoost's own, as in the JSON form of a model (`gradient_booster.model.trees`):
            numerical splits, one output.
        n_features: width of a row.

    Raises:
        Unsuitable: more than `MOST_SLOTS` features on one way to a leaf, more than `MOST_BYTES`,
            or splits that no training row came to.
        ValueError: these are no trees over so many features.
    """

    def __init__(self, trees: Sequence[dict[str, Any]], n_features: int) -> None:
        leaves = [leaf for tree in trees for leaf in _leaves(tree)]
        self._n_features = n_features
        self._slots = max((len(slots) for slots, _ in leaves), default=0) or 1
        patterns = 2**self._slots
        if self._slots > MOST_SLOTS or 4 * len(leaves) * patterns * self._slots > MOST_BYTES:
            raise Unsuitable(f"{len(leaves)} leaves of up to {self._slots} features")
        shape = (len(leaves), self._slots)
        # A place that a leaf does not need is a feature that every row passes: it adds nothing.
        self._feature = np.zeros(shape, np.int64)
        self._low, self._high = np.full(shape, -np.inf, "f4"), np.full(shape, np.inf, "f4")
        self._unknown, share = np.ones(shape, bool), np.ones(shape)
        for i, (slots, _) in enumerate(leaves):
            for k, (feature, slot) in enumerate(slots.items()):
                self._feature[i, k], self._unknown[i, k] = feature, slot.unknown
                self._low[i, k], self._high[i, k], share[i, k] = slot.low, slot.high, slot.share
        if self._feature.size and not 0 <= self._feature.min() <= self._feature.max() < n_features:
            raise ValueError("a tree splits by a feature that there is not")
        self._first = np.arange(len(leaves)) * patterns
        self._places = (1 << np.arange(self._slots)).astype(np.uint8)
        self._table = _table(share, np.array([value for _, value in leaves]))
        self._flat_feature = self._feature.reshape(-1)

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], NaN where unknown -> float64[m, n_features]."""
        found = np.empty((len(values), self._n_features))
        for i, row in enumerate(values):
            found[i] = self._of(row)
        return found

    def _of(self, row: Float32) -> Float64:
        x = row.take(self._feature)
        passes = (x >= self._low) & (x < self._high)
        passes |= np.isnan(row).take(self._feature) & self._unknown
        pattern = passes.view(np.uint8) @ self._places
        added = self._table.take(self._first + pattern, axis=0)
        return np.bincount(self._flat_feature, added.reshape(-1), self._n_features).astype(float)


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[dict[int, _Slot], float]]:
    """Every leaf's slots by feature, and its value."""
    left, right, split, condition, cover, to_left = (
        np.asarray(tree[column]).tolist() for column in _COLUMNS
    )
    coming: list[tuple[int, dict[int, _Slot]]] = [(0, {})]
    seen = 0
    while coming:
        node, slots = coming.pop()
        seen += 1
        if seen > len(left):
            raise ValueError("a tree that is none: its nodes lead back to themselves")
        if left[node] < 0:
            yield slots, condition[node]
            continue
        if not cover[node] > 0:
            raise Unsuitable("a split that no row came to")
        for child, is_left in ((left[node], True), (right[node], False)):
            if not 0 < child < len(left):
                raise ValueError("a tree's node leads nowhere")
            old, threshold = slots.get(split[node], _Slot()), condition[node]
            new = _Slot(
                old.low if is_left else max(old.low, threshold),
                min(old.high, threshold) if is_left else old.high,
                old.unknown and bool(to_left[node]) == is_left,
                old.share * cover[child] / cover[node],
            )
            coming.append((child, {**slots, split[node]: new}))


def _table(share: Float64, value: Float64) -> Float32:
    """float32[leaves * patterns, slots]: what each slot adds, bit k of a pattern being slot k."""
    slots = share.shape[1]
    bits = (np.arange(2**slots)[:, None] >> np.arange(slots)) & 1
    weight = [factorial(k) * factorial(slots - 1 - k) / factorial(slots) for k in range(slots)]
    parts = [
        _part(share[i : i + _LEAVES_AT_ONCE], value[i : i + _LEAVES_AT_ONCE], bits, weight)
        for i in range(0, len(share), _LEAVES_AT_ONCE)
    ]
    return np.concatenate([np.zeros((0, slots), np.float32), *parts])


def _part(
    share: Float64, value: Float64, bits: NDArray[np.int64], weight: Sequence[float]
) -> Float32:
    """The same of a few leaves. Over all sets S of the other slots: the weight of |S|, times 1 or
    0 for each slot in S as the pattern has it, times the share of each slot that is not in S."""
    leaves, slots = share.shape
    found = np.empty((leaves, len(bits), slots), np.float32)
    for k in range(slots):
        by_size = np.zeros((slots, leaves, len(bits)))
        by_size[0] = 1.0
        for other in set(range(slots)) - {k}:
            without = by_size * share[None, :, other, None]
            without[1:] += by_size[:-1] * bits[None, None, :, other]
            by_size = without
        mean = np.tensordot(np.array(weight), by_size, 1)
        found[:, :, k] = value[:, None] * (bits[:, k] - share[:, k, None]) * mean
    return found.reshape(-1, slots)
