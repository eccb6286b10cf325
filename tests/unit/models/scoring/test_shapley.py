"""Looked-up contributions are Shapley values, by their definition."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scoring.shapley import ShapleyTables, Unsuitable

N = 4


def grown(rng, depth):
    """A random tree in XGBoost's form: features repeat on the way to a leaf."""
    tree = {name: [] for name in _COLUMNS}

    def grow(depth, cover):
        node = len(tree["left_children"])
        for name in _COLUMNS:
            tree[name].append(-1)
        tree["sum_hessian"][node] = cover
        tree["default_left"][node] = int(rng.random() < 0.5)
        tree["split_indices"][node] = int(rng.integers(N))
        tree["split_conditions"][node] = float(np.float32(rng.normal()))
        if depth and cover > 1:
            part = cover * rng.uniform(0.1, 0.9)
            tree["left_children"][node] = grow(depth - 1, part)
            tree["right_children"][node] = grow(depth - 1, cover - part)
        return node

    grow(depth, 100.0)
    return tree


_COLUMNS = (
    *("left_children", "right_children", "split_indices", "split_conditions"),
    *("sum_hessian", "default_left"),
)


def expectation(tree, row, known, node=0):
    """Mean of the leaves that a row of which only `known` features are seen may end in."""
    left, right = tree["left_children"][node], tree["right_children"][node]
    if left < 0:
        return float(np.float32(tree["split_conditions"][node]))
    feature = tree["split_indices"][node]
    if feature in known:
        x = row[feature]
        to_left = x < np.float32(tree["split_conditions"][node])
        if np.isnan(x):
            to_left = tree["default_left"][node]
        return expectation(tree, row, known, left if to_left else right)
    cover = tree["sum_hessian"]
    return sum(
        cover[child] / cover[node] * expectation(tree, row, known, child) for child in (left, right)
    )


def by_definition(tree, row):
    values = np.zeros(N)
    for feature in range(N):
        others = [f for f in range(N) if f != feature]
        for size in range(N):
            weight = factorial(size) * factorial(N - 1 - size) / factorial(N)
            for seen in combinations(others, size):
                gain = expectation(tree, row, {*seen, feature}) - expectation(tree, row, {*seen})
                values[feature] += weight * gain
    return values


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_they_are_what_the_definition_says(seed, depth):
    rng = np.random.default_rng(seed)
    trees = [grown(rng, depth) for _ in range(2)]
    rows = rng.normal(size=(3, N)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    # Equal to a threshold, too: it goes to the right.
    rows[0, trees[0]["split_indices"][0]] = trees[0]["split_conditions"][0]
    expected = [sum(by_definition(tree, row) for tree in trees) for row in rows]
    assert np.allclose(ShapleyTables(trees, N)(rows), expected, rtol=0, atol=1e-5)


def test_a_forest_too_large_for_tables_is_told(monkeypatch):
    trees = [grown(np.random.default_rng(1), 5)]
    monkeypatch.setattr("models.scoring.shapley.MOST_BYTES", 1000)
    with pytest.raises(Unsuitable):
        ShapleyTables(trees, N)
    monkeypatch.undo()
    monkeypatch.setattr("models.scoring.shapley.MOST_SLOTS", 2)
    with pytest.raises(Unsuitable):
        ShapleyTables(trees, N)


@pytest.mark.parametrize(
    ("column", "node", "value"),
    [
        ("left_children", 0, 0),
        ("left_children", 1, 1),
        ("right_children", 0, 99),
        ("right_children", 0, -1),
        ("split_indices", 0, N),
        ("split_indices", 0, -1),
    ],
)
def test_what_is_no_tree_is_refused(column, node, value):
    tree = grown(np.random.default_rng(1), 4)
    tree[column][node] = value
    with pytest.raises(ValueError, match="tree"):
        ShapleyTables([tree], N)


def test_splits_without_rows_are_not_for_tables():
    tree = grown(np.random.default_rng(1), 2)
    tree["sum_hessian"][0] = 0.0
    with pytest.raises(Unsuitable):
        ShapleyTables([tree], N)


def test_no_rows():
    assert ShapleyTables([grown(np.random.default_rng(1), 2)], N)(
        np.zeros((0, N), np.float32)
    ).shape == (0, N)
