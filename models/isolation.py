"""An isolation forest as arrays, and its scores: without scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.state.compiled import Compiled
from fraud.payment.batch import Float32, Float64

_ROWS_AT_ONCE = 512
"""Rows that one tree after the other looks at: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class FlatForest:
    """All nodes of all trees. A leaf leads to itself, so every row takes `depth` steps: a loop of
    fixed length is several times as fast as one that asks at each node whether it is a leaf.

    Attributes:
        roots: int32[t], the first node of each tree.
        feature: int32[m], the column that a node compares.
        threshold: float64[m]; a value that is not above it goes to the first child.
        child: int32[2 m], both children of each node.
        length: float64[m], the path length of a row that ends there.
        depth: the most steps from a root to a leaf.
        expected: the mean path length that one tree is expected to have.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Float64
    child: NDArray[np.int32]
    length: Float64
    depth: int
    expected: float

    def score(self, values: Float32) -> Float64:
        """float64[n] in (0, 1], higher is stranger: 2 ** (-mean path length / expected one).

        Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008).

        Args:
            values: float32[n, k] without NaN.
        """
        total = np.zeros(len(values))
        rows = np.ascontiguousarray(values)
        add_path_lengths(
            rows, self.roots, self.feature, self.threshold, self.child, self.length, self.depth,
            total,
        )  # fmt: skip
        found: Float64 = 2.0 ** (-total / (len(self.roots) * self.expected))
        return found


def flat_forest(forest: Any) -> FlatForest:
    """Flatten a fitted scikit-learn IsolationForest whose trees use every feature."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    feature, threshold, child, length = [], [], [], []
    for tree, start in zip(trees, starts, strict=False):
        leaf = tree.children_left < 0
        own = np.arange(tree.node_count)
        feature.append(np.where(leaf, 0, tree.feature))
        threshold.append(np.where(leaf, np.inf, tree.threshold))
        left, right = (np.where(leaf, own, c) for c in (tree.children_left, tree.children_right))
        child.append(np.stack([left, right], axis=1).ravel() + start)
        edges = tree.compute_node_depths() - 1.0
        length.append(edges + average_path_length(tree.n_node_samples))
    return FlatForest(
        roots=starts[:-1].astype(np.int32),
        feature=np.concatenate(feature).astype(np.int32),
        threshold=np.concatenate(threshold),
        child=np.concatenate(child).astype(np.int32),
        length=np.concatenate(length),
        depth=max(int(tree.max_depth) for tree in trees),
        expected=float(average_path_length(np.array([forest.max_samples_]))[0]),
    )


def average_path_length(rows: NDArray[np.integer[Any]]) -> Float64:
    """float64[k]: mean path length, in edges, of a tree that isolates each of int[k] rows: c(n) of
    Liu, Ting and Zhou (ICDM 2008), the mean length of unsuccessful searches in a binary search
    tree."""
    n = np.maximum(rows, 2).astype(np.float64)
    many = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    found: Float64 = np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, many))
    return found


@Compiled
def add_path_lengths(
    values: Any, roots: Any, feature: Any, threshold: Any, child: Any, length: Any, depth: int,
    total: Any,
) -> None:  # fmt: skip
    """Add to float64[n] `total` the path length of each row of float32[n, k] in all trees."""
    n = values.shape[0]
    for start in range(0, n, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, n)
        for root in roots:
            for i in range(start, stop):
                node = root
                for _ in range(depth):
                    above = values[i, feature[node]] > threshold[node]
                    node = child[2 * node + above]
                total[i] += length[node]
