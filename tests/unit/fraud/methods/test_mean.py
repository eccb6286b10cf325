"""The weighted mean of votes."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.methods.mean import Mean, has_gaps


def test_members_without_a_vote_drop_out_of_a_row() -> None:
    votes = [np.array([0.2, 0.2, np.nan]), np.array([0.8, np.nan, np.nan])]
    found = Mean().combine(votes, [1.0, 3.0], 4.0, 3)
    assert found[:2] == pytest.approx([0.65, 0.2])
    assert np.isnan(found[2])
    assert np.isnan(Mean().combine([], [], 4.0, 2)).all()


def test_gaps() -> None:
    assert has_gaps(np.array([np.nan]))
    assert has_gaps(np.array([0.1, np.nan]))
    assert not has_gaps(np.array([0.1, 0.2]))
    assert not has_gaps(np.array([]))


def test_an_intercept_is_refused() -> None:
    with pytest.raises(ValueError, match="intercept: expected 0"):
        Mean(0.5)
