"""The share of members that vote for fraud."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.methods.majority import Majority

N = 4
cell = st.floats(0, 1) | st.just(float("nan"))
columns = st.lists(st.lists(cell, min_size=N, max_size=N), min_size=1, max_size=5)
weights = st.lists(st.floats(0.01, 10), min_size=5, max_size=5)
levels = st.floats(0.01, 1)


@given(columns, weights, levels)
def test_it_is_the_weighted_share_of_votes_that_reach_the_level(votes, weights, at):
    weights = weights[: len(votes)]
    found = Majority(at).combine([np.array(v) for v in votes], weights, sum(weights), N)
    for row, value in zip(zip(*votes, strict=True), found, strict=True):
        cast = [(v, w) for v, w in zip(row, weights, strict=True) if v == v]
        if not cast:
            assert np.isnan(value)
            continue
        share = sum(w for v, w in cast if v >= at) / sum(w for _, w in cast)
        assert value == pytest.approx(share, abs=1e-12)
        assert 0 <= value <= 1


@given(columns, weights, levels, st.integers(0, 4), st.integers(0, N - 1), st.floats(0, 1))
def test_a_higher_vote_never_lowers_it(votes, weights, at, member, row, more):
    member %= len(votes)
    weights = weights[: len(votes)]
    raised = [list(v) for v in votes]
    raised[member][row] += more * (1 - raised[member][row])  # NaN stays NaN
    before, after = (
        Majority(at).combine([np.array(v) for v in cast], weights, sum(weights), N)
        for cast in (votes, raised)
    )
    assert not (after < before).any()


@pytest.mark.parametrize("at", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_level_out_of_range_is_refused(at):
    with pytest.raises(ValueError, match="at: expected a number"):
        Majority(at)


def test_a_vote_at_the_level_counts():
    assert Majority(0.5).combine_row([0.5, 0.49], [1.0, 3.0]) == 0.25
