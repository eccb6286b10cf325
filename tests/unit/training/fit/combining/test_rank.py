from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fraud.methods.rank import rank_of
from training.fit.combining.mean import fit_mean
from training.fit.combining.rank import fit_rank

N = 20_000
RNG = np.random.default_rng(4)
TRUTH = RNG.beta(0.3, 20, N)
FRAUD = (RNG.random(N) < TRUTH).astype(np.float32)


def test_a_rank_is_the_share_of_training_votes_that_are_no_higher() -> None:
    ranks = fit_rank({"a": TRUTH, "b": TRUTH}, FRAUD).ranks["a"]
    at = np.quantile(TRUTH, [0.1, 0.5, 0.9, 0.99, 0.999])
    share = np.searchsorted(np.sort(TRUTH), at, side="right") / N
    assert rank_of(at, ranks) == pytest.approx(share, abs=0.002)
    assert rank_of(at[3:], ranks) == pytest.approx(share[3:], abs=1e-4)


def test_ranks_tell_the_highest_votes_apart() -> None:
    combination = fit_rank({"a": TRUTH, "b": TRUTH}, FRAUD)
    highest = np.sort(TRUTH)[-50:]
    assert (np.diff(rank_of(highest, combination.ranks["a"])) > 0).all()
    precision = average_precision_score(FRAUD, combination({"a": TRUTH, "b": TRUTH}))
    assert precision == pytest.approx(average_precision_score(FRAUD, TRUTH), rel=1e-3)


def test_the_scale_of_a_member_does_not_count() -> None:
    other = RNG.beta(0.3, 20, N)
    plain = fit_rank({"a": TRUTH, "b": other}, FRAUD)
    scaled = fit_rank({"a": TRUTH / 1000, "b": other}, FRAUD)
    assert scaled.weights == plain.weights
    assert scaled({"a": TRUTH / 1000, "b": other}) == pytest.approx(
        plain({"a": TRUTH, "b": other}), abs=1e-6
    )
    assert set(fit_mean({"a": TRUTH, "b": other}, FRAUD).weights) == set(plain.weights)


def test_votes_above_those_of_training_keep_their_order() -> None:
    ranks = fit_rank({"a": TRUTH / 2, "b": TRUTH}, FRAUD).ranks["a"]
    above = np.array([TRUTH.max() / 2, 0.6, 0.8, 0.99, 1.0])
    assert (np.diff(rank_of(above, ranks)) > 0).all()


def test_votes_that_are_mostly_equal_have_ranks_all_the_same() -> None:
    votes = np.where(np.arange(N) < N * 0.9, 1e-6, TRUTH)
    combination = fit_rank({"a": votes, "b": TRUTH}, FRAUD)
    rank = rank_of(np.array([0.0, 1e-6, 1.0]), combination.ranks["a"])
    assert rank[0] == 0.0
    assert 0.85 < rank[1] < 0.95
    assert rank[2] == 1.0
    assert np.isfinite(combination({"a": votes, "b": TRUTH})).all()
