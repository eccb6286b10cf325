"""An isolation forest as an ONNX graph that takes raw features, NaN included."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from fraud.payment.batch import Float32, Float64
from models.isolation import average_path_length
from training.export.graph import OUTPUT, model_bytes
from training.export.trees import ensemble_node, joined, sklearn_tree


def isolation_graph(forest: Any, median: Float32) -> bytes:
    """ONNX model of a forest fitted on signed logs of median-imputed features, for raw features.

    Both steps move into the trees exactly: the signed log is monotone, so each threshold is put
    through its inverse; and at each node NaN takes the direction that the median takes.

    The score is in (0, 1], higher is stranger: 2 ** (-mean path length / `average_path_length`
    of the rows that a tree was fitted on). Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008).

    Args:
        forest: fitted scikit-learn IsolationForest whose trees use every feature and at least two
            rows.
        median: float32[n_features], raw scale, no NaN.
    """
    expected = float(average_path_length(np.array([forest.max_samples_]))[0])
    # Leaves hold their difference from the expected path, as a share of the exponent: small float32
    # sums lose a third of the precision that sums of whole path lengths would lose.
    scale = -1.0 / (len(forest.estimators_) * expected)
    parts = []
    for number, tree in enumerate(e.tree_ for e in forest.estimators_):
        threshold = _exp_signed(tree.threshold)
        parts.append(
            sklearn_tree(
                number,
                tree,
                threshold=threshold,
                missing_yes=median[np.maximum(tree.feature, 0)] <= threshold,
                value=(_path_length(tree) - expected) * scale,
            )
        )
    nodes = [
        ensemble_node(joined(parts, strict=False), -1.0, "exponent"),
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Constant", [], ["flat"], value_ints=[-1]),
        helper.make_node("Pow", ["two", "exponent"], ["strangeness"]),
        helper.make_node("Reshape", ["strangeness", "flat"], [OUTPUT]),
    ]
    return model_bytes(nodes, forest.n_features_in_)


def _path_length(tree: Any) -> Float64:
    """float64[n_nodes]: edges above each node, plus the mean path length that would isolate its
    rows."""
    edges: Float64 = tree.compute_node_depths() - 1.0
    return edges + average_path_length(tree.n_node_samples)


def _exp_signed(x: Float64) -> Float64:
    found: Float64 = np.sign(x) * np.expm1(np.abs(x))
    return found
