from __future__ import annotations

import numpy as np

from fraud.methods.majority import Majority
from training.fit.combining.majority import fit_majority


def test_the_level_is_the_one_at_which_votes_count_best() -> None:
    rng = np.random.default_rng(3)
    n = 10_000
    fraud = np.zeros(n, np.float32)
    fraud[rng.choice(n, 200, replace=False)] = 1
    # A vote is worth something from 0.3 on, which 2 % of the rows reach.
    votes = {
        name: np.where(fraud > 0, rng.uniform(0.3, 0.9, n), rng.uniform(0.0, 0.299, n))
        for name in "abc"
    }
    combination = fit_majority(votes, fraud)
    assert isinstance(combination.method, Majority)
    assert 0.29 < combination.method.at < 0.45
    assert combination.weights == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert combination(votes)[fraud > 0].mean() > 0.9
    assert combination(votes)[fraud == 0].max() < 0.5


def test_of_equally_good_levels_the_lowest_is_taken() -> None:
    fraud = np.zeros(1000, np.float32)
    fraud[-20:] = 1
    votes = {"a": np.where(fraud > 0, 0.9, np.linspace(0, 0.1, 1000))}
    combination = fit_majority(votes, fraud)
    assert isinstance(combination.method, Majority)
    assert 0.1 < combination.method.at < 0.5


def test_votes_that_are_all_zero_have_a_level_all_the_same() -> None:
    fraud = np.zeros(10, np.float32)
    fraud[0] = 1
    assert fit_majority({"a": np.zeros(10)}, fraud).method == Majority()
