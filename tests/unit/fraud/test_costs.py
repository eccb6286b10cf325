"""What decisions cost."""

from __future__ import annotations

import numpy as np

from fraud.costs import Costs


def test_each_outcome_costs_what_the_table_says() -> None:
    costs = Costs(review=5.0, false_block=20.0, missed_share=0.5, challenge=1.0)
    outcome = np.array([0, 1, 2, 3] * 2, np.int8)
    fraud = np.repeat([False, True], 4)
    found = costs.of(outcome, fraud, np.full(8, 100.0))
    assert found.round(9).tolist() == [0.0, 1.0, 5.0, 20.0, 50.0, 11.0, 5.0, 0.0]


def test_a_challenge_without_a_cost_of_its_own_costs_a_review() -> None:
    costs = Costs(review=5.0, false_block=20.0, challenge_stops=1.0)
    challenge = np.array([1, 1], np.int8)
    assert costs.of(challenge, np.array([True, False]), np.array([9.0, 9.0])).tolist() == [5.0, 5.0]
