from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraud.combine.thresholds import outcomes
from fraud.plan import Plan
from training.config import CostConfig, RateConfig, TrainConfig
from training.fit.combining.registry import FITS
from training.fit.costs import outcome_costs, total_cost
from training.fit.ensemble import EnsembleFit, ensemble_probability, fit_plan
from training.fit.labelled_votes import LabelledVotes
from training.fit.thresholds import fit_thresholds

N = 20_000
RNG = np.random.default_rng(4)
TRUTH = RNG.beta(0.3, 20, N)
FRAUD = (RNG.random(N) < TRUTH).astype(np.float32)


def _votes() -> dict[str, np.ndarray]:
    """One informative model and one that guesses."""
    return {"knows": TRUTH, "guesses": RNG.permutation(TRUTH)}


def _plan(config: TrainConfig) -> tuple[LabelledVotes, EnsembleFit]:
    votes, anomaly = _votes(), RNG.random(N)
    amount = RNG.lognormal(3, 1, N)
    half = N // 2
    voted = [
        LabelledVotes(
            {n: v[rows] for n, v in votes.items()}, FRAUD[rows], amount[rows], anomaly[rows]
        )
        for rows in (slice(0, half), slice(half, N))
    ]
    return voted[1], fit_plan(*voted, config)


def _halves(votes: dict[str, np.ndarray], fraud: np.ndarray) -> list[LabelledVotes]:
    half = fraud.size // 2
    return [
        LabelledVotes({n: v[rows] for n, v in votes.items()}, fraud[rows], np.ones(half))
        for rows in (slice(0, half), slice(half, 2 * half))
    ]


def test_the_plan_keeps_to_its_rates() -> None:
    voted, fit = _plan(TrainConfig())
    plan = fit.plan
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
    voted, fit = _plan(TrainConfig(costs=costs))
    plan = fit.plan
    assert plan.costs == costs.costs
    probability = ensemble_probability(plan.ensemble, voted.votes)
    costs_of = outcome_costs(voted.fraud, voted.amount, costs.costs)
    t = plan.ensemble.thresholds
    cost = total_cost(probability, (t.challenge, t.review, t.block), costs_of)
    by_rates = fit_thresholds(probability, None, RateConfig())
    r = (by_rates.challenge, by_rates.review, by_rates.block)
    assert cost < total_cost(probability, r, costs_of)
    assert cost < costs_of.approve.sum()


def test_an_ensemble_that_does_not_beat_its_best_member_gives_way_to_it() -> None:
    voted = _halves({"knows": TRUTH, "errs": 1 - TRUTH}, FRAUD)
    fit = fit_plan(*voted, TrainConfig(variants=("xgboost", "logistic")))
    plan = fit.plan
    assert plan.kind == "single"
    assert [(m.variant, m.weight) for m in plan.ensemble.members] == [("knows", 1.0)]
    contest = fit.choice.comparison
    assert contest is not None
    assert (contest.member, contest.won, contest.kept) == ("knows", False, False)
    assert contest.ensemble["average_precision"] <= contest.best_member["average_precision"]
    assert "does not beat its best member, knows decides alone" in contest.sentence()
    # Its probabilities are those of the member, on the plan's own map.
    probability = ensemble_probability(plan.ensemble, {"knows": voted[1].votes["knows"]})
    assert abs(float(probability.mean()) - float(voted[1].fraud.mean())) < 0.002


def test_a_configured_kind_stays_and_reports_that_it_lost() -> None:
    config = TrainConfig(variants=("xgboost", "logistic"), combiner="mean")
    fit = fit_plan(*_halves({"knows": TRUTH, "errs": 1 - TRUTH}, FRAUD), config)
    plan = fit.plan
    assert plan.kind == "ensemble"
    assert len(plan.ensemble.members) == 2
    assert fit.choice.comparison is not None
    assert not fit.choice.comparison.won
    assert "it decides as configured" in fit.choice.comparison.sentence()


def test_an_ensemble_that_beats_its_best_member_decides() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, N)) * 2.2
    fraud = (rng.random(N) < 1 / (1 + np.exp(-(a + b - 7)))).astype(np.float32)
    votes = {n: 1 / (1 + np.exp(-(e - 4.5))) for n, e in (("a", a), ("b", b))}
    fit = fit_plan(*_halves(votes, fraud), TrainConfig(variants=("xgboost", "logistic")))
    plan = fit.plan
    assert plan.kind == "ensemble"
    assert fit.choice.comparison is not None
    assert fit.choice.comparison.won
    assert "beats its best member" in fit.choice.comparison.sentence()


@pytest.mark.parametrize("method", list(FITS))
def test_a_fitted_plan_survives_its_document(method: str) -> None:
    config = TrainConfig(variants=("xgboost", "logistic"), combiner=method)
    config = config.model_copy(
        update={"rates": RateConfig(block=0.05, review=0.05, challenge=0.05)}
    )
    votes = {"xgboost": TRUTH, "logistic": np.sqrt(TRUTH * RNG.permutation(TRUTH))}
    fit = fit_plan(*_halves(votes, FRAUD), config)
    assert fit.plan.ensemble.method.name == method
    again = Plan.from_document(fit.plan.to_document())
    assert again.ensemble == fit.plan.ensemble
    assert {s.variants for s in again.ensemble.subsets} == {("xgboost",), ("logistic",)}


def test_a_missing_member_leaves_calibrated_probabilities() -> None:
    # One member knows nothing: without the other, nearly every payment has the mean risk.
    voted, fit = _plan(TrainConfig(combiner="stack"))
    ensemble = fit.plan.ensemble
    alone = {"guesses": voted.votes["guesses"]}
    with_own = ensemble_probability(ensemble, alone)
    without = ensemble_probability(replace(ensemble, subsets=()), alone)
    highest = np.argsort(alone["guesses"])[-N // 10 :]
    observed = float(voted.fraud[highest].mean())
    assert float(with_own[highest].mean()) == pytest.approx(observed, rel=0.2)
    assert float(without[highest].mean()) > 1.5 * observed
