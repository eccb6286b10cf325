from __future__ import annotations

import numpy as np
import pytest

from training.fit.combining.mean import fit_mean, fit_weights

N = 20_000
RNG = np.random.default_rng(4)
TRUTH = RNG.beta(0.3, 20, N)
FRAUD = (RNG.random(N) < TRUTH).astype(np.float32)


def _votes() -> dict[str, np.ndarray]:
    """One informative model and one that guesses."""
    return {"knows": TRUTH, "guesses": RNG.permutation(TRUTH)}


def test_a_better_model_weighs_more_and_every_model_counts() -> None:
    weights = fit_weights(_votes(), FRAUD)
    assert weights["knows"] == 0.9
    assert weights["guesses"] == 0.1
    assert sum(weights.values()) == pytest.approx(1)


def test_one_voter_has_all_the_weight() -> None:
    assert fit_weights({"alone": TRUTH}, FRAUD) == {"alone": 1.0}


def test_equal_voters_weigh_as_evenly_as_they_can() -> None:
    weights = fit_weights({"a": TRUTH, "b": TRUTH, "c": TRUTH}, FRAUD)
    assert sorted(weights.values()) == [0.3, 0.3, 0.4]


def test_a_few_frauds_leave_the_weights_nearly_even() -> None:
    fraud = np.zeros(400, np.float32)
    fraud[::50] = 1
    votes = {"knows": np.where(fraud > 0, 0.9, 0.1), "guesses": RNG.random(400)}
    weights = fit_mean(votes, fraud).weights
    assert 0.5 < weights["knows"] < 0.6
