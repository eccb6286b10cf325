from __future__ import annotations

import numpy as np
import pytest

from fraud.combine.thresholds import outcomes
from fraud.errors import NotTrainable
from training.config import RateConfig
from training.ensemble import ensemble_probability, fit_plan, fit_thresholds, fit_weights

N = 20_000
RNG = np.random.default_rng(4)
TRUTH = RNG.beta(0.3, 20, N)
FRAUD = (RNG.random(N) < TRUTH).astype(np.float32)


def _votes() -> dict[str, np.ndarray]:
    """One that knows, one that guesses."""
    return {"knows": TRUTH, "guesses": RNG.permutation(TRUTH)}


def test_whoever_knows_more_weighs_more_and_nobody_is_silent() -> None:
    weights = fit_weights(_votes(), FRAUD)
    assert weights["knows"] == 0.9
    assert weights["guesses"] == 0.1
    assert sum(weights.values()) == pytest.approx(1)


def test_one_voter_has_all_the_weight() -> None:
    assert fit_weights({"alone": TRUTH}, FRAUD) == {"alone": 1.0}


def test_equal_voters_weigh_as_evenly_as_they_can() -> None:
    weights = fit_weights({"a": TRUTH, "b": TRUTH, "c": TRUTH}, FRAUD)
    assert sorted(weights.values()) == [0.3, 0.3, 0.4]


def test_the_plan_keeps_to_its_rates() -> None:
    votes = _votes()
    anomaly = RNG.random(N)
    plan = fit_plan(votes, ("strange", anomaly), FRAUD, RateConfig(), 100)
    probability = ensemble_probability(plan, votes)
    reached = outcomes(plan.thresholds, probability, np.full(N, np.nan))
    shares = [float((reached >= outcome).mean()) for outcome in (1, 2, 3)]
    assert shares == pytest.approx([0.01, 0.005, 0.001], rel=0.05)
    t = plan.thresholds
    assert t.anomaly_challenge is not None
    assert (anomaly >= t.anomaly_challenge).mean() == pytest.approx(0.001, rel=0.1)
    assert plan.variants == ("knows", "guesses", "strange")
    assert abs(float(probability.mean()) - float(FRAUD.mean())) < 0.002


def test_thresholds_lie_between_scores_not_on_them() -> None:
    scores = np.linspace(0, 1, 1001)
    thresholds = fit_thresholds(scores, None, RateConfig())
    assert (scores >= thresholds.review).mean() <= 0.005
    assert not np.isin([thresholds.challenge, thresholds.review, thresholds.block], scores).any()


def test_scores_that_are_all_equal_have_no_threshold() -> None:
    with pytest.raises(NotTrainable, match="share the highest score"):
        fit_thresholds(np.full(1000, 0.2), None, RateConfig())
