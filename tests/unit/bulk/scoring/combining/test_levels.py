"""Levels by thresholds and by a budget of reviews."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.jobs.options import JobOptions
from bulk.scoring.combining.levels import UNKNOWN, levels, riskiest

P = np.array([0.05, 0.1, 0.49, 0.5, np.nan, 0.9], np.float32)


def test_thresholds_belong_to_the_higher_level():
    found = levels(P, JobOptions(high=0.5, medium=0.1))
    assert found.tolist() == [0, 1, 1, 2, UNKNOWN, 2]


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_a_probability_that_is_shown_as_the_threshold_reaches_it(threshold):
    shown = np.full(1, threshold, np.float32)
    assert levels(shown, JobOptions(high=threshold, medium=0.1)).tolist() == [2]


def test_a_budget_replaces_the_high_threshold():
    found = levels(P, JobOptions(review=1))
    assert found.tolist() == [0, 1, 1, 1, UNKNOWN, 2]
    assert levels(P, JobOptions(review=100)).tolist() == [2, 2, 2, 2, UNKNOWN, 2]


def test_ties_go_to_the_first_rows():
    assert riskiest(np.array([0.2, 0.7, 0.7, 0.1, 0.7], np.float32), 2).tolist() == [1, 2]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, np.nan]), max_size=40), st.integers(1, 50))
def test_a_budget_is_met_exactly(values, budget):
    score = np.array(values, np.float32)
    found = riskiest(score, budget)
    known = np.flatnonzero(~np.isnan(score))
    assert len(found) == min(budget, len(known))
    left = np.setdiff1d(known, found)
    if left.size and found.size:
        assert score[found].min() >= score[left].max()


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(rows):
    assert levels(np.full(rows, 0.7, np.float32), JobOptions(review=3)).tolist() == [2] * rows
