"""The ratio of predicted to observed fraud shows probabilities that are off by a factor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.metrics.reliability import reliability


def _world(factor: float, n: int = 200_000, rate: float = 0.002, seed: int = 1):
    """n payments at a low rate of fraud; probabilities are the truth times `factor`."""
    rng = np.random.default_rng(seed)
    truth = np.minimum(rng.gamma(0.2, rate / 0.2, n), 0.9)
    fraud = (rng.random(n) < truth).astype(np.float32)
    return np.minimum(truth * factor, 1.0), fraud, rng.integers(0, 2_000, n)


def test_predicted_is_divided_by_observed() -> None:
    found = reliability(np.array([0.2, 0.2, 0.6]), np.array([0, 1, 1]), np.arange(3)).overall
    assert (found.rows, found.frauds) == (3, 2)
    assert pytest.approx(1 / 3) == found.predicted
    assert found.observed == pytest.approx(2 / 3)
    assert found.ratio == pytest.approx(0.5)
    assert found.low <= found.ratio <= found.high


def test_a_true_model_is_right_overall_and_in_every_band() -> None:
    found = reliability(*_world(1.0))
    assert found.overall.low < 1 < found.overall.high
    assert [band.off(2.0) for band in found.bands] == [False] * len(found.bands)
    assert sum(band.rows for band in found.bands) == 200_000


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_factor_is_found_at_a_rate_at_which_the_error_is_tiny(factor: float) -> None:
    probability, fraud, cluster = _world(factor)
    assert abs(float(probability.mean()) - float(fraud.mean())) < 0.0015
    overall = reliability(probability, fraud, cluster).overall
    assert overall.ratio == pytest.approx(factor, rel=0.12)
    assert overall.off(1.25)


def test_a_band_that_is_off_is_found_although_the_whole_is_right() -> None:
    """Predicting too much at low probabilities makes up for too little at high ones."""
    rng = np.random.default_rng(2)
    predicted = np.r_[np.full(50_000, 0.003), np.full(500, 0.3)]
    truth = np.r_[np.full(50_000, 0.0012), np.full(500, 0.48)]
    fraud = (rng.random(predicted.size) < truth).astype(float)
    found = reliability(predicted, fraud, np.arange(predicted.size) % 2_525)
    assert not found.overall.off(1.25)
    assert [band.off(1.4) for band in found.bands] == [True, True]


def test_few_frauds_prove_nothing() -> None:
    fraud = np.zeros(1_000)
    fraud[:3] = 1
    found = reliability(np.full(1_000, 0.0018), fraud, np.arange(1_000)).overall
    assert found.ratio == pytest.approx(0.6)
    assert not found.off(1.25)


def test_without_fraud_the_ratio_has_no_upper_end() -> None:
    found = reliability(np.full(2_000, 0.01), np.zeros(2_000), np.arange(2_000))
    assert math.isinf(found.overall.ratio)
    assert math.isinf(found.overall.high)
    assert found.overall.low > 1  # twenty were expected
    assert found.overall.off(1.25)
    assert found.overall.document()["ratio"] is None
    few = reliability(np.full(100, 0.01), np.zeros(100), np.arange(100))
    assert not few.overall.off(1.25)


@pytest.mark.slow
def test_the_interval_holds_the_truth_where_frauds_come_in_clusters() -> None:
    """40 clusters of very different rates: an interval over single payments would be too narrow."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cluster = rng.integers(0, 40, 8_000)
        rate = rng.gamma(0.7, 0.02 / 0.7, 40)
        fraud = (rng.random(8_000) < np.minimum(rate[cluster], 1)).astype(float)
        overall = reliability(np.full(8_000, 0.02), fraud, cluster).overall
        held += overall.low <= 1 <= overall.high
    assert held >= 50


def test_a_sentence_has_the_figures() -> None:
    sentence = reliability(*_world(0.6)).overall.sentence()
    assert sentence.startswith("predicted 0.1")
    assert "frauds in 200,000" in sentence
