"""Contributions of trees are Shapley values, by their definition."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trees import TreeContributions
from training.export.leaves import leaves_of_trees

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
    """The mean over the leaves that a row may reach if only its `known` features are known."""
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
    assert np.allclose(
        TreeContributions(leaves_of_trees(trees), N)(rows), expected, rtol=0, atol=1e-5
    )


@pytest.fixture
def leaves():
    return leaves_of_trees([grown(np.random.default_rng(1), 4) for _ in range(2)])


def test_a_file_keeps_them(leaves):
    contributions = TreeContributions(leaves, N)
    rows = np.random.default_rng(1).normal(size=(20, N)).astype(np.float32)
    again = TreeContributions.from_bytes(contributions.to_bytes(), N)
    assert again(rows).tolist() == contributions(rows).tolist()
    assert again.to_bytes() == contributions.to_bytes()


@pytest.mark.parametrize(
    ("field", "value"),
    [("feature", N), ("feature", -1), ("share", 1.5), ("share", np.nan), ("value", np.inf)],
)
def test_a_malformed_leaf_is_refused(leaves, field, value):
    getattr(leaves, field)[..., 0] = value
    with pytest.raises(ValueError, match=r"0\.\.3|share|value"):
        TreeContributions(leaves, N)


@pytest.mark.parametrize("field", ["feature", "low", "high", "missing", "share", "value"])
def test_arrays_that_do_not_fit_together_are_refused(leaves, field):
    cut = replace(leaves, **{field: getattr(leaves, field)[..., 1:]})
    with pytest.raises(ValueError, match=r"shapes|each leaf"):
        TreeContributions(cut, N)


def test_another_width_is_refused(leaves):
    body = TreeContributions(leaves, N).to_bytes()
    with pytest.raises(ValueError, match="4 features"):
        TreeContributions.from_bytes(body, N + 1)


def test_a_pickle_is_not_run(leaves):
    body = io.BytesIO()
    np.savez(body, n_features=np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        TreeContributions.from_bytes(body.getvalue(), N)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was run",)


def test_no_rows(leaves):
    assert TreeContributions(leaves, N)(np.zeros((0, N), np.float32)).shape == (0, N)


def test_a_forest_without_leaves_adds_nothing():
    found = TreeContributions(leaves_of_trees([]), N)(np.ones((2, N), np.float32))
    assert found.tolist() == np.zeros((2, N)).tolist()
