"""A forest as arrays, and the ONNX graph that scores it with exactly the same comparisons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from onnx import NodeProto, helper

from fraud.payment.batch import Float32, Float64, Int64
from training.export.graph import INPUT, model_bytes, probability_nodes

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of all trees; arrays of one length.

    Attributes:
        tree, node: numbers; node numbers begin at 0 (the root) in each tree.
        feature: column compared; 0 at leaves.
        threshold: float32; `x < threshold` (strict) or `x <= threshold` goes to `yes`.
        yes, no: child node numbers; 0 at leaves.
        missing_yes: NaN goes to `yes`.
        leaf: whether the node is a leaf.
        value: what a leaf adds; 0 elsewhere.
        strict: whether the comparison is `x < threshold`.
    """

    tree: Int64
    node: Int64
    feature: Int64
    threshold: Float32
    yes: Int64
    no: Int64
    missing_yes: Bools
    leaf: Bools
    value: Float32
    strict: bool


def forest_of_booster(booster: xgb.Booster) -> tuple[Forest, float]:
    """The trees of an XGBoost binary classifier, and the log-odds they are added to."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    parts = [_booster_tree(number, tree) for number, tree in enumerate(trees)]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    return joined(parts, strict=True), float(np.log(base / (1 - base)))


def _booster_tree(number: int, tree: dict[str, Any]) -> dict[str, NDArray[Any]]:
    left = np.array(tree["left_children"], np.int64)
    right = np.array(tree["right_children"], np.int64)
    # A leaf's condition is its value.
    condition = np.array(tree["split_conditions"], np.float32)
    leaf = left < 0
    return {
        "tree": np.full(left.size, number, np.int64),
        "node": np.arange(left.size, dtype=np.int64),
        "feature": np.where(leaf, 0, np.array(tree["split_indices"], np.int64)),
        "threshold": np.where(leaf, np.float32(0), condition),
        "yes": np.where(leaf, 0, left),
        "no": np.where(leaf, 0, right),
        "missing_yes": np.array(tree["default_left"], bool) & ~leaf,
        "leaf": leaf,
        "value": np.where(leaf, condition, np.float32(0)),
    }


def forest_of_sklearn(estimators: list[Any]) -> Forest:
    """The trees of a scikit-learn random forest classifier of two classes; their leaves add up
    to the mean probability of the second class.

    A leaf holds the share of the second class among its rows and one added row, which has the share
    of the whole tree: the m-estimate of Cestnik (1990) with m = 1, which Provost and Domingos
    ("Tree Induction for Probability-Based Ranking", 2003) found to rank better. Without it most
    rows of a set with few frauds reach only pure leaves, and all of them score zero.
    """
    parts = [
        sklearn_tree(
            number,
            tree,
            threshold=tree.threshold,
            missing_yes=tree.missing_go_to_left.astype(bool),
            value=leaf_share(tree) / len(estimators),
        )
        for number, tree in enumerate(e.tree_ for e in estimators)
    ]
    return joined(parts, strict=False)


def sklearn_tree(
    number: int, tree: Any, *, threshold: Float64, missing_yes: Bools, value: Float64
) -> dict[str, NDArray[Any]]:
    """The columns of a `Forest` for one scikit-learn tree.

    Args:
        number: of the tree in its forest.
        tree: the `tree_` of a fitted scikit-learn tree: its shape and features are used.
        threshold: float64[n_nodes]; `x <= threshold` goes left. Read only at inner nodes.
        missing_yes: bool[n_nodes]: NaN goes left. Read only at inner nodes.
        value: float64[n_nodes]: what a leaf adds. Read only at leaves.
    """
    left = tree.children_left.astype(np.int64)
    leaf = left < 0
    return {
        "tree": np.full(left.size, number, np.int64),
        "node": np.arange(left.size, dtype=np.int64),
        "feature": np.where(leaf, 0, tree.feature),
        "threshold": np.where(leaf, np.float32(0), float32_at_most(threshold)),
        "yes": np.where(leaf, 0, left),
        "no": np.where(leaf, 0, tree.children_right),
        "missing_yes": missing_yes & ~leaf,
        "leaf": leaf,
        "value": np.where(leaf, value, 0).astype(np.float32),
    }


def leaf_share(tree: Any) -> Float64:
    """float64[n_nodes]: share of the second class in each node of a scikit-learn tree, with one row
    at the root's share added."""
    votes = tree.value[:, 0, :]
    share: Float64 = votes[:, 1] / votes.sum(axis=1)
    weight = tree.weighted_n_node_samples
    row = weight[0] / tree.n_node_samples[0]
    found: Float64 = (share * weight + share[0] * row) / (weight + row)
    return found


def float32_at_most(threshold: NDArray[np.float64]) -> Float32:
    """The largest float32 not above each value: for every float32 x, `x <= t` gives the same
    result."""
    rounded: Float32 = threshold.astype(np.float32)
    below: Float32 = np.nextafter(rounded, np.float32(-np.inf), dtype=np.float32)
    return np.where(rounded.astype(np.float64) > threshold, below, rounded)


def joined(parts: list[dict[str, NDArray[Any]]], strict: bool) -> Forest:
    """The forest of trees given as columns, in their order."""
    columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return Forest(**columns, strict=strict)


def boosted_graph(forest: Forest, base: float, n_features: int) -> bytes:
    """ONNX model: logistic of `base` plus the sum of leaves."""
    nodes = [ensemble_node(forest, base, "margin"), *probability_nodes("margin")]
    return model_bytes(nodes, n_features)


def bagged_graph(forest: Forest, n_features: int) -> bytes:
    """ONNX model: the sum of leaves, kept in [0, 1] against rounding."""
    nodes = [
        ensemble_node(forest, 0.0, "mean"),
        helper.make_node("Constant", [], ["zero"], value_float=0.0),
        helper.make_node("Constant", [], ["one"], value_float=1.0),
        helper.make_node("Constant", [], ["flat"], value_ints=[-1]),
        helper.make_node("Clip", ["mean", "zero", "one"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "flat"], ["score"]),
    ]
    return model_bytes(nodes, n_features)


def ensemble_node(forest: Forest, base: float, output: str) -> NodeProto:
    """A node that leads from `features` to `output` float32[n, 1]: `base` plus the sum of the
    leaves that a row falls into."""
    branch = "BRANCH_LT" if forest.strict else "BRANCH_LEQ"
    return helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        [output],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=[base],
        nodes_treeids=forest.tree.tolist(),
        nodes_nodeids=forest.node.tolist(),
        nodes_featureids=forest.feature.tolist(),
        nodes_values=forest.threshold.tolist(),
        nodes_modes=["LEAF" if leaf else branch for leaf in forest.leaf],
        nodes_truenodeids=forest.yes.tolist(),
        nodes_falsenodeids=forest.no.tolist(),
        nodes_missing_value_tracks_true=forest.missing_yes.astype(int).tolist(),
        target_treeids=forest.tree[forest.leaf].tolist(),
        target_nodeids=forest.node[forest.leaf].tolist(),
        target_ids=[0] * int(forest.leaf.sum()),
        target_weights=forest.value[forest.leaf].tolist(),
    )
