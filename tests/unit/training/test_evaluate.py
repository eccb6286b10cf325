from __future__ import annotations

import numpy as np
import pytest

from training.evaluate import calibration_error, card_precision, evaluate, recall_at
from training.split import DAY_MS


def test_recall_counts_frauds_among_the_highest() -> None:
    score = np.arange(1000) / 1000
    fraud = np.zeros(1000, np.float32)
    fraud[[999, 998, 500, 10]] = 1
    assert recall_at(score, fraud, 0.01) == 0.5
    assert recall_at(score, fraud, 0.5) == 0.75


def test_equal_scores_gain_nothing_by_their_order() -> None:
    fraud = np.zeros(1000, np.float32)
    fraud[:10] = 1
    for order in (slice(None), slice(None, None, -1)):
        assert recall_at(np.full(1000, 0.5), fraud[order], 0.02) == pytest.approx(0.02)


def test_card_precision_counts_a_card_once() -> None:
    # Day 0: a and b compromised, both on top. Day 1: a again (already found), c missed, d on top.
    customers = ["a", "a", "b", "x", "a", "d", "c"]
    day = np.array([0, 0, 0, 0, 1, 1, 1], np.int64) * DAY_MS
    score = np.array([0.9, 0.1, 0.8, 0.2, 0.99, 0.5, 0.1])
    fraud = np.array([1, 0, 1, 0, 1, 0, 1], np.float32)
    assert card_precision(score, fraud, customers, day, cards=2) == pytest.approx((1.0 + 0.5) / 2)
    assert card_precision(score, fraud, customers, day, cards=1) == pytest.approx((1.0 + 0.0) / 2)


def test_calibration_error_of_a_calibrated_and_of_a_boastful_model() -> None:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 20, 200_000)
    fraud = (rng.random(200_000) < probability).astype(np.float32)
    assert calibration_error(probability, fraud) < 0.003
    assert calibration_error(probability * 2, fraud) == pytest.approx(probability.mean(), rel=0.1)


def test_figures_of_a_perfect_and_of_a_blind_model() -> None:
    fraud = np.zeros(2000, np.float32)
    fraud[::100] = 1
    customers = [f"c{i % 400}" for i in range(2000)]
    at = np.arange(2000, dtype=np.int64) * DAY_MS // 500
    perfect = evaluate(fraud.astype(np.float64), fraud, customers, at)
    assert perfect["roc_auc"] == perfect["average_precision"] == 1.0
    assert perfect["recall_at_review_0.01"] == 1.0
    assert perfect["brier"] == perfect["calibration_error"] == 0.0
    blind = evaluate(np.full(2000, 0.01), fraud, customers, at)
    assert blind["roc_auc"] == 0.5
    assert blind["average_precision"] == pytest.approx(0.01)
    anomaly = evaluate(np.full(2000, 0.5), fraud, customers, at, probabilities=False)
    assert "brier" not in anomaly
