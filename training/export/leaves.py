"""The leaves of a booster, from which serving computes contributions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb

from models.trees import Leaves

_COLUMNS = (
    *("left_children", "right_children", "split_indices", "split_conditions"),
    *("sum_hessian", "default_left"),
)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A column of `Leaves`, of one leaf and one feature."""

    low: float = -np.inf
    high: float = np.inf
    missing: bool = True
    share: float = 1.0


def leaves_of_booster(booster: xgb.Booster) -> Leaves:
    """The leaves of an XGBoost binary classifier of trees with numerical splits."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    return leaves_of_trees(learner["gradient_booster"]["model"]["trees"])


def leaves_of_trees(trees: list[dict[str, Any]]) -> Leaves:
    """The leaves of trees in the JSON form of an XGBoost model (`gradient_booster.model.trees`)."""
    found = [leaf for tree in trees for leaf in _leaves(tree)]
    shape = max((len(slots) for slots, _ in found), default=0), len(found)
    leaves = Leaves(
        feature=np.zeros(shape, np.int32),
        low=np.full(shape, -np.inf, np.float32),
        high=np.full(shape, np.inf, np.float32),
        missing=np.ones(shape, bool),
        share=np.ones(shape, np.float32),
        value=np.array([value for _, value in found], np.float32),
    )
    for i, (slots, _) in enumerate(found):
        for k, (feature, slot) in enumerate(slots.items()):
            leaves.feature[k, i], leaves.missing[k, i] = feature, slot.missing
            leaves.low[k, i], leaves.high[k, i] = slot.low, slot.high
            leaves.share[k, i] = slot.share
    return leaves


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[dict[int, _Slot], float]]:
    """Every leaf's slots by feature, and its value."""
    left, right, split, condition, cover, to_left = (
        np.asarray(tree[column]).tolist() for column in _COLUMNS
    )
    pending: list[tuple[int, dict[int, _Slot]]] = [(0, {})]
    while pending:
        node, slots = pending.pop()
        if left[node] < 0:
            yield slots, condition[node]
            continue
        old, threshold = slots.get(split[node], _Slot()), condition[node]
        for child, is_left in ((left[node], True), (right[node], False)):
            # A split that no training row reached has no shares: its branches weigh the same.
            share = cover[child] / cover[node] if cover[node] > 0 else 0.5
            slot = _Slot(
                low=old.low if is_left else max(old.low, threshold),
                high=min(old.high, threshold) if is_left else old.high,
                missing=old.missing and bool(to_left[node]) == is_left,
                share=old.share * share,
            )
            pending.append((child, {**slots, split[node]: slot}))
