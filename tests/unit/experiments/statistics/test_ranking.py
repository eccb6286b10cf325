"""Figures of rankings, against scikit-learn and against those of training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from experiments.statistics.ranking import Ranking
from training.metrics.calibration import calibration_bins
from training.metrics.ranking import Ranking as Trained
from training.metrics.ranking import recall_at_review

worlds = st.tuples(st.integers(0, 10_000), st.integers(20, 400), st.sampled_from([5, 50, 10_000]))


def world(seed: int, n: int, ties: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with ties, labels that follow them, and weights."""
    rng = np.random.default_rng(seed)
    probability = rng.integers(0, ties, n) / ties
    fraud = (rng.random(n) < 0.1 + probability / 2).astype(float)
    fraud[:2] = [1.0, 0.0]
    return probability, fraud, rng.integers(0, 3, n).astype(float) + (np.arange(n) < 2)


@given(worlds)
def test_average_precision_is_that_of_scikit_learn(drawn: tuple[int, int, int]) -> None:
    probability, fraud, weight = world(*drawn)
    ranking = Ranking(probability, fraud)
    assert ranking.average_precision() == pytest.approx(average_precision_score(fraud, probability))
    assert ranking.average_precision(weight) == pytest.approx(
        average_precision_score(fraud, probability, sample_weight=weight)
    )


@given(worlds, st.floats(0.001, 1))
def test_recall_and_calibration_are_those_of_training(
    drawn: tuple[int, int, int], share: float
) -> None:
    probability, fraud, _ = world(*drawn)
    ranking, trained = Ranking(probability, fraud), Trained(probability, fraud)
    steps = trained.steps()
    assert ranking.recall_at(share) == pytest.approx(recall_at_review(steps, share), abs=1e-9)
    bins = calibration_bins(probability[trained.order], np.ones(fraud.size), steps)
    assert ranking.calibration_error() == pytest.approx(bins.error, abs=1e-9)


def test_without_fraud_there_is_nothing_to_find() -> None:
    ranking = Ranking(np.array([0.1, 0.2]), np.zeros(2))
    assert np.isnan(ranking.average_precision())
    assert np.isnan(ranking.recall_at(0.5))
    assert ranking.calibration_error() == pytest.approx(0.15)


def test_the_order_of_rows_within_a_tie_does_not_matter() -> None:
    fraud = np.array([1.0, 0.0, 0.0, 0.0])
    first, last = Ranking(np.full(4, 0.5), fraud), Ranking(np.full(4, 0.5), fraud[::-1])
    assert first.recall_at(0.5) == last.recall_at(0.5) == 0.5
    assert first.average_precision() == last.average_precision() == 0.25
