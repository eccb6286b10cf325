"""What decisions cost."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.costs import Costs
from training.config import CostConfig
from training.fit.costs import outcome_costs

OUTCOMES = np.array([0, 1, 2, 3], np.int8)


def test_each_outcome_costs_what_the_table_says() -> None:
    costs = Costs(review=5.0, false_block=20.0, missed_share=0.5, challenge=1.0)
    amount = np.full(4, 100.0)
    assert costs.of(OUTCOMES, np.zeros(4), amount).tolist() == [0.0, 1.0, 5.0, 20.0]
    assert costs.of(OUTCOMES, np.ones(4), amount).round(9).tolist() == [50.0, 11.0, 5.0, 0.0]


@pytest.mark.parametrize("fraud", [0.0, 1.0])
def test_costs_are_those_that_training_minimises(fraud: float) -> None:
    numbers = {"review": 4.0, "false_block": 25.0, "missed_share": 0.9, "challenge": 0.5}
    amount = np.full(4, 120.0)
    trained = outcome_costs(
        np.full(4, fraud, np.float32), amount, CostConfig(**numbers, challenge_stops=0.7)
    )
    each = [trained.approve[0], trained.challenge[1], trained.review[2], trained.block[3]]
    costs = Costs(**numbers, challenge_stops=0.7)
    assert costs.of(OUTCOMES, np.full(4, fraud), amount).tolist() == pytest.approx(each)


def test_without_a_cost_of_its_own_a_challenge_costs_a_review_and_stops_its_share() -> None:
    costs = Costs(review=4.0, false_block=25.0)
    amount = np.full(4, 120.0)
    assert costs.of(OUTCOMES, np.ones(4), amount).round(9).tolist() == [120, 28, 4, 0]
    assert costs.of(OUTCOMES, np.zeros(4), amount).tolist() == [0, 4, 4, 25]


@pytest.mark.parametrize("challenge", [None, 0.5, 150.0])
def test_the_highest_cost_is_that_of_the_costliest_outcome(challenge: float | None) -> None:
    costs = Costs(review=4.0, false_block=25.0, challenge=challenge)
    for fraud in (0.0, 1.0):
        every = costs.of(OUTCOMES, np.full(4, fraud), np.full(4, 120.0))
        highest = costs.highest(np.array([fraud]), np.array([120.0]))
        assert highest.tolist() == [every.max()]
