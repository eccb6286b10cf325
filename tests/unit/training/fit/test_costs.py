"""Cheapest thresholds against exhaustive search."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.costs import Costs
from fraud.ensemble import Thresholds
from fraud.errors import NotTrainable
from training.fit.costs import cheapest_thresholds, outcome_costs, total_cost


def _drawn(seed: int, n: int = 14) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.choice(np.linspace(0.01, 0.99, 9), n)
    fraud = (rng.random(n) < probability).astype(np.float32)
    return probability, fraud, rng.lognormal(3, 1, n)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 0.5, 3.0]))
def test_nothing_is_cheaper(seed: int, challenge: float | None) -> None:
    probability, fraud, amount = _drawn(seed)
    costs = Costs(review=4.0, false_block=15.0, challenge=challenge)
    price = outcome_costs(fraud, amount, costs)
    found = cheapest_thresholds(probability, price)
    levels = np.unique(probability)
    middles = (levels[1:] + levels[:-1]) / 2
    places = [levels[0] / 2, *middles, 1.0]
    cheapest = min(
        total_cost(probability, triple, price)
        for triple in combinations_with_replacement(places, 3)
    )
    assert total_cost(probability, found, price) == pytest.approx(cheapest)
    Thresholds(*found)
    assert 0 < found[0] <= found[1] <= found[2] <= 1
    if challenge is None:
        assert found[0] == found[1]


def test_dear_reviews_are_rare_and_cheap_ones_are_not() -> None:
    probability, fraud, amount = _drawn(1, 4000)

    def reviewed(cost: float) -> float:
        price = outcome_costs(fraud, amount, Costs(review=cost, false_block=1e9))
        return float((probability >= cheapest_thresholds(probability, price)[1]).mean())

    assert reviewed(0.1) > reviewed(10.0) > reviewed(1000.0) == 0


def test_fraud_without_an_amount_has_no_price() -> None:
    amount = np.array([1.0, np.nan])
    with pytest.raises(NotTrainable, match=r"use \[rates\]"):
        outcome_costs(np.array([0, 1], np.float32), amount, Costs(review=1, false_block=1))
