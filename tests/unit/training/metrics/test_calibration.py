from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.calibration import CalibrationBins, calibration_bins
from training.metrics.ranking import Ranking


def bins_of(
    probability: np.ndarray, fraud: np.ndarray, weight: np.ndarray | None = None, bins: int = 20
) -> CalibrationBins:
    ranking = Ranking(probability, fraud)
    ranked = np.ones(fraud.size) if weight is None else weight[ranking.order]
    return calibration_bins(probability[ranking.order], ranked, ranking.steps(ranked), bins)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 20]))
def test_bins_are_equal_parts_of_the_ordered_rows(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.random(bins * 7)
    fraud = (rng.random(probability.size) < probability).astype(float)
    parts = np.split(np.argsort(-probability), bins)
    found = bins_of(probability, fraud, bins=bins)
    assert found.predicted == pytest.approx([probability[p].mean() for p in parts])
    assert found.observed == pytest.approx([fraud[p].mean() for p in parts])
    assert found.weight == pytest.approx(np.full(bins, 1 / bins))
    expected = np.mean([abs(probability[p].mean() - fraud[p].mean()) for p in parts])
    assert found.error == pytest.approx(expected)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_a_weight_is_so_many_copies_and_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 50
    probability = rng.integers(0, 6, n) / 6
    fraud = (rng.random(n) < 0.5).astype(float)
    weight = rng.integers(0, 4, n).astype(float)
    copies = rng.permutation(np.repeat(np.arange(n), weight.astype(int)))
    weighted = bins_of(probability, fraud, weight, bins=7)
    copied = bins_of(probability[copies], fraud[copies], bins=7)
    assert weighted.predicted == pytest.approx(copied.predicted, abs=1e-9)
    assert weighted.observed == pytest.approx(copied.observed, abs=1e-9)


def test_a_calibrated_and_a_boastful_model() -> None:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 20, 200_000)
    fraud = (rng.random(200_000) < probability).astype(float)
    assert bins_of(probability, fraud).error < 0.003
    boast = bins_of(np.minimum(probability * 2, 1), fraud).error
    assert boast == pytest.approx(probability.mean(), rel=0.1)


def test_fewer_rows_than_bins() -> None:
    found = bins_of(np.array([0.2, 0.9]), np.array([0.0, 1.0]))
    assert found.error == pytest.approx(0.15)
