from __future__ import annotations

import numpy as np
import pytest

from fraud.combine.thresholds import outcomes
from fraud.errors import NotTrainable
from fraud.methods.registry import METHODS
from training.config import CostConfig, RateConfig, TrainConfig
from training.fit.costs import outcome_costs, total_cost
from training.fit.ensemble import (
    FITS,
    LabelledVotes,
    ensemble_probability,
    fit_combination,
    fit_plan,
    fit_thresholds,
    fit_weights,
)

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


def _plan(config: TrainConfig):
    votes, anomaly = _votes(), RNG.random(N)
    amount = RNG.lognormal(3, 1, N)
    half = N // 2
    voted = [
        LabelledVotes(
            {n: v[rows] for n, v in votes.items()}, FRAUD[rows], amount[rows], anomaly[rows]
        )
        for rows in (slice(0, half), slice(half, N))
    ]
    return voted[1], *fit_plan(*voted, config)


def test_the_plan_keeps_to_its_rates() -> None:
    voted, plan, _, _ = _plan(TrainConfig())
    probability = ensemble_probability(plan.ensemble, voted.votes)
    reached = outcomes(plan.ensemble.thresholds, probability, np.full(N // 2, np.nan))
    shares = [float((reached >= outcome).mean()) for outcome in (1, 2, 3)]
    assert shares == pytest.approx([0.01, 0.005, 0.001], rel=0.05)
    t = plan.ensemble.thresholds
    assert t.anomaly_challenge is not None
    assert voted.anomaly is not None
    assert (voted.anomaly >= t.anomaly_challenge).mean() == pytest.approx(0.001, rel=0.1)
    assert plan.variants[0] == "knows"
    assert plan.variants[-1] == "isolation-forest"
    assert abs(float(probability.mean()) - float(voted.fraud.mean())) < 0.002


def test_costs_set_the_thresholds_where_they_are_given() -> None:
    costs = CostConfig(review=2.0, false_block=20.0)
    voted, plan, _, _ = _plan(TrainConfig(costs=costs))
    probability = ensemble_probability(plan.ensemble, voted.votes)
    costs_of = outcome_costs(voted.fraud, voted.amount, costs)
    t = plan.ensemble.thresholds
    cost = total_cost(probability, (t.challenge, t.review, t.block), costs_of)
    by_rates = fit_thresholds(probability, None, RateConfig())
    r = (by_rates.challenge, by_rates.review, by_rates.block)
    assert cost < total_cost(probability, r, costs_of)
    assert cost < costs_of.approve.sum()


def test_a_stack_is_chosen_where_the_mean_of_probabilities_loses() -> None:
    # Two halves of the evidence: log-odds add up, probabilities do not.
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, N)) * 2.2
    fraud = (rng.random(N) < 1 / (1 + np.exp(-(a + b - 7)))).astype(np.float32)
    votes = {n: 1 / (1 + np.exp(-(e - 4.5))) for n, e in (("a", a), ("b", b))}
    combination = fit_combination(votes, fraud)
    assert combination.method.name == "stack"
    merits = {kind: m["average_precision"] for kind, m in combination.figures.items()}
    assert merits["stack"] > merits["mean"]
    assert combination.weights["a"] == pytest.approx(combination.weights["b"], abs=0.15)
    assert fit_combination(votes, fraud, "mean").method.name == "mean"


def _halves(votes: dict[str, np.ndarray], fraud: np.ndarray) -> list[LabelledVotes]:
    half = fraud.size // 2
    return [
        LabelledVotes({n: v[rows] for n, v in votes.items()}, fraud[rows], np.ones(half))
        for rows in (slice(0, half), slice(half, 2 * half))
    ]


def test_an_ensemble_that_does_not_beat_its_best_member_gives_way_to_it() -> None:
    voted = _halves({"knows": TRUTH, "errs": 1 - TRUTH}, FRAUD)
    plan, combination, _ = fit_plan(*voted, TrainConfig(variants=("xgboost", "logistic")))
    assert plan.kind == "single"
    assert [(m.variant, m.weight) for m in plan.ensemble.members] == [("knows", 1.0)]
    contest = combination.comparison
    assert contest is not None
    assert (contest.member, contest.won, contest.kept) == ("knows", False, False)
    assert contest.ensemble["average_precision"] <= contest.best_member["average_precision"]
    assert "does not beat its best member, knows decides alone" in contest.sentence()
    # Its probabilities are those of the member, on the plan's own map.
    probability = ensemble_probability(plan.ensemble, {"knows": voted[1].votes["knows"]})
    assert abs(float(probability.mean()) - float(voted[1].fraud.mean())) < 0.002


def test_a_configured_kind_stays_and_reports_that_it_lost() -> None:
    config = TrainConfig(variants=("xgboost", "logistic"), combiner="mean")
    plan, combination, _ = fit_plan(*_halves({"knows": TRUTH, "errs": 1 - TRUTH}, FRAUD), config)
    assert plan.kind == "ensemble"
    assert len(plan.ensemble.members) == 2
    assert combination.comparison is not None
    assert not combination.comparison.won
    assert "it decides as configured" in combination.comparison.sentence()


def test_an_ensemble_that_beats_its_best_member_decides() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, N)) * 2.2
    fraud = (rng.random(N) < 1 / (1 + np.exp(-(a + b - 7)))).astype(np.float32)
    votes = {n: 1 / (1 + np.exp(-(e - 4.5))) for n, e in (("a", a), ("b", b))}
    plan, combination, _ = fit_plan(
        *_halves(votes, fraud), TrainConfig(variants=("xgboost", "logistic"))
    )
    assert plan.kind == "ensemble"
    assert combination.comparison is not None
    assert combination.comparison.won
    assert "beats its best member" in combination.comparison.sentence()


@pytest.mark.parametrize("useful", [True, False])
def test_with_too_few_frauds_for_folds_the_fitted_rows_decide(useful: bool) -> None:
    rng = np.random.default_rng(5)
    fraud = np.zeros(400, np.float32)
    fraud[::80] = 1
    knows = np.where(fraud > 0, 0.6, 0.3) + rng.normal(0, 0.1, 400)
    other = np.where(fraud > 0, 0.6, 0.3) + rng.normal(0, 0.1, 400) if useful else rng.random(400)
    combination = fit_combination(
        {"knows": np.clip(knows, 0, 1), "other": np.clip(other, 0, 1)}, fraud
    )
    assert combination.comparison is not None
    assert combination.comparison.won == useful


def test_a_single_voter_has_no_contest() -> None:
    assert fit_combination({"alone": TRUTH}, FRAUD).comparison is None


def test_a_few_frauds_leave_the_weights_nearly_even() -> None:
    fraud = np.zeros(400, np.float32)
    fraud[::50] = 1
    votes = {"knows": np.where(fraud > 0, 0.9, 0.1), "guesses": RNG.random(400)}
    weights = fit_combination(votes, fraud, "mean").weights
    assert 0.5 < weights["knows"] < 0.6


def test_thresholds_lie_between_scores_not_on_them() -> None:
    scores = np.linspace(0, 1, 1001)
    thresholds = fit_thresholds(scores, None, RateConfig())
    assert (scores >= thresholds.review).mean() <= 0.005
    assert not np.isin([thresholds.challenge, thresholds.review, thresholds.block], scores).any()


def test_a_highest_score_that_too_many_share_blocks_no_payment():
    scores = np.r_[np.linspace(0.0, 0.3, 996), np.full(4, 0.6)]
    thresholds = fit_thresholds(scores, scores, RateConfig())
    assert thresholds.review < 0.6 < thresholds.block < 1
    assert thresholds.anomaly_challenge == thresholds.block


def test_scores_that_are_all_equal_have_no_threshold() -> None:
    with pytest.raises(NotTrainable, match="share the highest score"):
        fit_thresholds(np.full(1000, 0.2), None, RateConfig())


@pytest.mark.parametrize("wanted", ["choose", "mean", "stack"])
def test_rows_that_begin_with_fraud_alone_have_a_combiner(wanted: str) -> None:
    rng = np.random.default_rng(6)
    fraud = np.zeros(2_000, np.float32)
    fraud[:30] = 1
    fraud[rng.choice(np.arange(30, 2_000), 30, replace=False)] = 1
    odds = {n: -4 + 2 * fraud + rng.normal(0, 1, fraud.size) for n in "ab"}
    combination = fit_combination({n: 1 / (1 + np.exp(-o)) for n, o in odds.items()}, fraud, wanted)
    assert set(combination.weights) == {"a", "b"}
    assert combination.comparison is not None


def test_every_combining_method_has_a_fit() -> None:
    assert set(FITS) == set(METHODS)
