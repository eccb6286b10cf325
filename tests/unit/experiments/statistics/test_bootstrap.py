"""Intervals of differences of average precision, against those of training."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import bootstrap
from experiments.statistics.bootstrap import paired_interval, unpaired_interval
from experiments.statistics.ranking import Ranking
from training.metrics.paired import paired_difference


def world(seed: int, n: int = 3_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    odds = rng.normal(-3, 2, n)
    fraud = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    good, poor = odds + rng.normal(0, 0.5, n), odds + rng.normal(0, 2, n)
    return good, poor, fraud, rng.integers(0, n // 5, n)


def test_a_paired_interval_is_that_of_training() -> None:
    good, poor, fraud, customer = world(1)
    code = np.unique(customer, return_inverse=True)[1]
    trained = paired_difference(good, poor, fraud, code)
    found = paired_interval(Ranking(good, fraud), Ranking(poor, fraud), customer)
    assert found is not None
    width = trained.high - trained.low
    assert found == pytest.approx((trained.low, trained.high), abs=0.15 * width)
    assert found == paired_interval(Ranking(good, fraud), Ranking(poor, fraud), customer)


def test_an_unpaired_interval_is_wider() -> None:
    good, poor, fraud, customer = world(1)
    other_good, _, other_fraud, other_customer = world(2)
    paired = paired_interval(Ranking(good, fraud), Ranking(poor, fraud), customer)
    unpaired = unpaired_interval(
        Ranking(other_good, other_fraud), Ranking(poor, fraud), other_customer, customer
    )
    assert paired is not None
    assert unpaired is not None
    assert unpaired[1] - unpaired[0] > 1.2 * (paired[1] - paired[0])


def test_with_one_fraud_there_is_no_interval() -> None:
    fraud = np.zeros(50)
    fraud[3] = 1
    ranking = Ranking(np.linspace(0, 1, 50), fraud)
    assert paired_interval(ranking, ranking, np.arange(50)) is None


def test_of_many_rows_fewer_resamples_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(
        bootstrap, "_drawn", lambda rng, code: drawn.append(1) or np.ones(code.size)
    )
    good, poor, fraud, customer = world(1)
    monkeypatch.setattr(bootstrap, "_ROW_DRAWS", 3_000 * 120)
    paired_interval(Ranking(good, fraud), Ranking(poor, fraud), customer)
    assert len(drawn) == 120
