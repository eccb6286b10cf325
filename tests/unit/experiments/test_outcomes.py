"""What outcomes cost, stop and interrupt."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.outcomes import cost_of, interrupted, reviewed, stopped
from fraud.costs import Costs
from training.config import CostConfig
from training.fit.costs import outcome_costs

OUTCOMES = np.array([0, 1, 2, 3], np.int8)


@pytest.mark.parametrize("fraud", [0.0, 1.0])
def test_costs_are_those_that_training_minimises(fraud: float) -> None:
    numbers = {"review": 4.0, "false_block": 25.0, "missed_share": 0.9, "challenge": 0.5}
    amount = np.full(4, 120.0)
    trained = outcome_costs(
        np.full(4, fraud, np.float32), amount, CostConfig(**numbers, challenge_stops=0.7)
    )
    each = [trained.approve[0], trained.challenge[1], trained.review[2], trained.block[3]]
    costs = Costs(**numbers, challenge_stops=0.7)
    assert cost_of(costs, OUTCOMES, np.full(4, fraud), amount).tolist() == pytest.approx(each)


def test_without_a_cost_of_its_own_a_challenge_costs_a_review() -> None:
    costs = Costs(review=4.0, false_block=25.0)
    assert cost_of(costs, OUTCOMES, np.ones(4), np.full(4, 120.0)).tolist() == [120, 4, 4, 0]
    assert cost_of(costs, OUTCOMES, np.zeros(4), np.full(4, 120.0)).tolist() == [0, 4, 4, 25]


def test_what_an_outcome_stops() -> None:
    assert stopped(OUTCOMES, 0.25).tolist() == [0.0, 0.25, 1.0, 1.0]
    assert interrupted(OUTCOMES).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert reviewed(OUTCOMES).tolist() == [0.0, 0.0, 1.0, 1.0]
