from __future__ import annotations

import numpy as np
import pytest

from training.metrics.cases import cases
from training.metrics.metrics import Gauge, evaluate
from training.sets.split import DAY_MS


def test_figures_of_a_perfect_and_of_a_blind_model() -> None:
    fraud = np.zeros(2000, np.float32)
    fraud[::100] = 1
    customers = [f"c{i % 400}" for i in range(2000)]
    at = np.arange(2000, dtype=np.int64) * DAY_MS // 500
    amount = np.linspace(1, 50, 2000)
    perfect = evaluate(fraud.astype(np.float64), fraud, customers, at, amount=amount)
    assert perfect["roc_auc"] == perfect["average_precision"] == 1.0
    assert perfect["recall_at_review_0.01"] == perfect["recall_at_1pct_fpr"] == 1.0
    assert perfect["value_caught_at_review_0.01"] == 1.0
    assert perfect["brier"] == perfect["calibration_error"] == 0.0
    blind = evaluate(np.full(2000, 0.01), fraud, customers, at, amount=amount)
    assert blind["roc_auc"] == 0.5
    assert blind["average_precision"] == pytest.approx(0.01)
    assert blind["value_caught_at_review_0.02"] == pytest.approx(0.02)
    anomaly = evaluate(np.full(2000, 0.5), fraud, customers, at, probabilities=False)
    assert not {"brier", "calibration_error", "value_caught_at_review_0.01"} & set(anomaly)


def test_card_precision_counts_a_card_once() -> None:
    # Day 0: a and b compromised, both on top. Day 1: a again (already found), c missed, d on top.
    customers = ["a", "a", "b", "x", "a", "d", "c"]
    day = np.array([0, 0, 0, 0, 1, 1, 1], np.int64) * DAY_MS
    score = np.array([0.9, 0.1, 0.8, 0.2, 0.99, 0.5, 0.1])
    fraud = np.array([1, 0, 1, 0, 1, 0, 1], np.float32)
    # Fewer than a hundred customers: all of the day's are looked at.
    found = evaluate(score, fraud, customers, day)["card_precision_at_100"]
    assert found == pytest.approx((2 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize("amount", [None, [5.0, np.nan, 1.0, 1.0], [np.nan, 5.0, 1.0, 1.0]])
def test_value_caught_needs_the_amount_of_every_fraud(amount: list[float] | None) -> None:
    fraud = np.array([0, 1, 0, 0], np.float32)
    told = None if amount is None else np.array(amount)
    score = np.array([0.4, 0.9, 0.2, 0.1])
    figures = evaluate(score, fraud, None, np.zeros(4, np.int64), amount=told)
    known = amount is not None and np.isfinite(amount[1])
    assert ("value_caught_at_review_0.02" in figures) == known
    assert "card_precision_at_100" not in figures


def test_bins_of_expected_fraud_reach_into_the_highest_probabilities() -> None:
    rng = np.random.default_rng(1)
    probability = rng.beta(0.1, 10, 50_000)
    fraud = (rng.random(50_000) < probability).astype(float)
    gauge = Gauge(probability, cases(fraud, None, np.zeros(50_000, np.int64)))
    bins = gauge.calibration_bins()
    assert bins is not None
    assert bins.weight.sum() == pytest.approx(1)
    assert (np.diff(bins.predicted) < 0).all()
    expected = bins.weight * bins.predicted
    assert expected == pytest.approx(np.full(expected.size, probability.mean() / 20), rel=0.1)
    assert np.dot(bins.weight, bins.observed) == pytest.approx(fraud.mean())
    noise = np.sqrt(bins.predicted * (1 - bins.predicted) / (bins.weight * 50_000))
    assert (np.abs(bins.predicted - bins.observed) < 4 * noise).all()
