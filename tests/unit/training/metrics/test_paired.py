from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fraud.errors import NotTrainable
from training.metrics.cases import cases
from training.metrics.paired import paired_difference


def models(seed: int, n: int = 6_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    fraud = (rng.random(n) < 0.05).astype(float)
    shared = 2 * fraud + rng.normal(0, 1, n)
    cluster = cases(fraud, [f"c{i % 300}" for i in range(n)], np.zeros(n, np.int64)).cluster
    return shared + rng.normal(0, 0.2, n), shared + rng.normal(0, 0.2, n), fraud, cluster


def test_it_is_the_difference_of_the_figures() -> None:
    a, b, fraud, cluster = models(1)
    found = paired_difference(a, b, fraud, cluster, resamples=50)
    expected = average_precision_score(fraud, a) - average_precision_score(fraud, b)
    assert found.difference == pytest.approx(expected)
    assert found.low <= found.difference <= found.high
    turned = paired_difference(b, a, fraud, cluster, resamples=50)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_a_model_is_as_good_as_itself() -> None:
    a, _, fraud, cluster = models(2)
    assert paired_difference(a, a, fraud, cluster, resamples=20) == (0.0, 0.0, 0.0)


def test_a_better_model_is_distinguished_from_an_equal_one() -> None:
    equal = 0
    for seed in range(20):
        a, b, fraud, cluster = models(seed)
        low, high = paired_difference(a, b, fraud, cluster, resamples=100)[1:]
        equal += low <= 0 <= high
        noisy = b + np.random.default_rng(seed).normal(0, 0.7, b.size)
        assert paired_difference(a, noisy, fraud, cluster, resamples=100).low > 0
    assert equal >= 16


@pytest.mark.parametrize("metric", ["roc_auc", "recall_at_review_0.01", "recall_at_1pct_fpr"])
def test_other_figures_are_compared_likewise(metric: str) -> None:
    a, b, fraud, cluster = models(3)
    found = paired_difference(a, -b, fraud, cluster, metric, resamples=20)
    assert 0 < found.low <= found.difference <= found.high


def test_a_lack_of_fraud_is_reported_in_a_sentence() -> None:
    a, b, fraud, cluster = models(4, 400)
    with pytest.raises(NotTrainable, match="400 payments with 0 frauds are too few"):
        paired_difference(a, b, fraud * 0, cluster, resamples=10)
