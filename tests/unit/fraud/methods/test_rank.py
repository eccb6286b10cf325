"""Ranks of votes among those of training, and their mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.methods.rank import RankAverage, rank_levels, rank_of

unit = st.integers(0, 10**9).map(lambda billionths: billionths / 1e9)
"""Votes further apart than rounding: between closer ones a line overflows."""
training = st.lists(unit, min_size=2, max_size=30).map(sorted)


@given(training, st.lists(unit, min_size=1, max_size=20))
def test_a_higher_vote_never_has_a_lower_rank(ranks, votes):
    found = rank_of(np.array(sorted(votes)), ranks)
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()


@given(training)
def test_votes_of_training_have_the_rank_at_which_they_stand(ranks):
    levels = rank_levels(len(ranks))
    found = rank_of(np.array(ranks), ranks)
    for vote, rank in zip(ranks, found, strict=True):
        # Of equal votes the last one counts.
        assert rank == levels[len(ranks) - 1 - ranks[::-1].index(vote)]


@given(training, st.lists(unit, min_size=1, max_size=9))
def test_a_rank_does_not_depend_on_its_neighbours(ranks, votes):
    together = rank_of(np.array(votes), ranks)
    alone = [rank_of(np.array([vote]), ranks).item() for vote in votes]
    assert together.tolist() == alone


@pytest.mark.parametrize("k", [2, 3, 101, 1000])
def test_levels_rise_from_zero_to_one_and_are_closer_near_one(k):
    levels = rank_levels(k)
    assert (levels[0], levels[-1]) == (0.0, 1.0)
    steps = np.diff(levels)
    assert (steps > 0).all()
    assert (np.diff(steps) < 1e-12).all()
    with pytest.raises(ValueError, match="read-only"):
        levels[0] = 1.0


def test_a_vote_that_is_missing_has_no_rank():
    assert np.isnan(rank_of(np.array([np.nan]), [0.0, 1.0])).all()


def test_ranks_are_averaged_by_weight():
    assert RankAverage().combine_row([0.2, 0.8], [1.0, 3.0]) == pytest.approx(0.65)
    assert RankAverage.uses_ranks
