"""The share of fraud by EM, on files whose share is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.scoring.combining.label_shift import adjust, estimate_share

ROWS = 20_000


def probabilities(rng, rows, share, prior):
    """Exact probabilities, for the share `prior`, of rows of which `share` are fraud: one normal
    measure, two deviations higher in fraud."""
    fraud = rng.random(rows) < share
    x = rng.normal(size=rows) + 2 * fraud
    ratio = np.exp(2 * x - 2)
    return prior * ratio / (prior * ratio + 1 - prior), fraud


@pytest.mark.parametrize(
    ("prior", "share"), [(0.02, 0.02), (0.02, 0.06), (0.05, 0.01), (0.3, 0.1), (0.01, 0.08)]
)
def test_the_interval_holds_the_share_as_often_as_it_says(prior, share):
    inside = 0
    for seed in range(40):
        p, _ = probabilities(np.random.default_rng(seed), ROWS, share, prior)
        found = estimate_share(p, prior)
        assert found.converged
        assert found.low <= found.share <= found.high
        inside += found.low <= share <= found.high
    # Of 40 intervals of 95 %, fewer than 34 hold the share once in a thousand times.
    assert inside >= 34


def test_adjusted_probabilities_add_up_to_the_frauds():
    p, fraud = probabilities(np.random.default_rng(1), ROWS, 0.08, 0.02)
    found = estimate_share(p, 0.02)
    adjusted = adjust(p, 0.02, found.share)
    # The fixed point of EM: their mean is the estimate.
    assert adjusted.mean() == pytest.approx(found.share, rel=0.01)
    assert adjusted.sum() == pytest.approx(fraud.sum(), rel=0.1)
    assert p.sum() < 0.7 * fraud.sum()


def test_adjusting_keeps_the_order_and_the_ends():
    p = np.array([0.0, 0.01, 0.5, 0.99, 1.0])
    found = adjust(p, 0.02, 0.2)
    assert (np.diff(found) > 0).all()
    assert found[[0, -1]].tolist() == [0, 1]
    assert adjust(p, 0.02, 0.02) == pytest.approx(p)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0.001, 0.999))
def test_any_probabilities_give_a_share(p, prior):
    found = estimate_share(np.array(p), prior)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_probabilities_that_say_nothing_leave_the_share_open():
    found = estimate_share(np.full(500, 0.1), 0.1)
    assert found.share == pytest.approx(0.1)
    assert (found.low, found.high) == (0, 1)


def test_unknown_rows_and_the_size_of_the_file_change_nothing():
    p, _ = probabilities(np.random.default_rng(3), ROWS, 0.05, 0.02)
    once = estimate_share(p, 0.02)
    holes = np.where(np.arange(2 * ROWS) % 2, np.repeat(p, 2), np.nan)
    assert estimate_share(holes, 0.02) == once
    # More rows than are looked at together: equal rows say the same, only more surely.
    many = estimate_share(np.tile(p, 8), 0.02)
    assert many.share == pytest.approx(once.share)
    assert once.low < many.low < many.high < once.high
    assert adjust(np.tile(p, 8), 0.02, 0.1) == pytest.approx(np.tile(adjust(p, 0.02, 0.1), 8))


def test_a_file_without_fraud_comes_to_rest_at_none():
    p, _ = probabilities(np.random.default_rng(4), ROWS, 0.0, 0.02)
    found = estimate_share(p, 0.02)
    assert found.converged
    assert found.low == 0
    assert found.share < 0.002


def test_a_file_of_fraud_alone_comes_to_rest_at_all():
    p, _ = probabilities(np.random.default_rng(4), ROWS, 1.0, 0.02)
    found = estimate_share(p, 0.02)
    assert found.converged
    assert found.high == 1
    assert found.share > 0.99
