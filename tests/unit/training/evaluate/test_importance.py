from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb
from sklearn.metrics import average_precision_score

from fraud.payment.batch import Float32, Float64
from training.evaluate.importance import (
    ExplainedRows,
    boosted_importance,
    draw_rows,
    permutation_drops,
)


def score(values: Float32) -> Float64:
    return 1 / (1 + np.exp(-(2 * values[:, 1] + 0.7 * values[:, 3] - 4).astype(np.float64)))


def data(n: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (n, 5)).astype(np.float32)
    return values, (rng.random(n) < score(values)).astype(float)


def test_a_sample_stands_for_all_rows() -> None:
    values, fraud = data(40_000)
    rows = np.arange(10_000, 40_000)
    sample = draw_rows(values, rows, fraud[rows], 1_200, seed=1)
    assert len(sample.fraud) == 1_200
    assert sample.fraud.sum() == 400
    assert sample.weight.sum() == pytest.approx(rows.size)
    assert (sample.weight * sample.fraud).sum() == pytest.approx(fraud[rows].sum())
    small = draw_rows(values, np.arange(500), fraud[:500], 1_200, seed=1)
    assert (small.weight == 1).all()
    assert np.array_equal(small.values, values[:500])


def test_drops_are_those_of_columns_shuffled_one_by_one() -> None:
    values, fraud = data()
    sample = ExplainedRows(values, fraud, np.ones(fraud.size))
    drops = permutation_drops(score, sample, range(5), repeats=3, seed=2)
    by_column = {drop.column: drop for drop in drops}
    assert [drop.column for drop in drops[:2]] == [1, 3]
    for unused in (0, 2, 4):
        assert by_column[unused].mean == by_column[unused].spread == 0.0
    rng = np.random.default_rng(9)
    whole = average_precision_score(fraud, score(values))
    lost = []
    for _ in range(30):
        shuffled = values.copy()
        shuffled[:, 1] = rng.permutation(values[:, 1])
        lost.append(whole - average_precision_score(fraud, score(shuffled)))
    assert by_column[1].mean == pytest.approx(np.mean(lost), abs=0.03)
    assert permutation_drops(score, sample, range(5), repeats=3, seed=2) == drops


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values, fraud = data(500)
    sample = ExplainedRows(values, fraud, np.ones(fraud.size))
    at_once = permutation_drops(score, sample, [1, 3], repeats=2, seed=5)
    monkeypatch.setattr("training.evaluate.importance._BLOCK_CELLS", 1)
    assert permutation_drops(score, sample, [1, 3], repeats=2, seed=5) == at_once


def test_few_frauds_say_nothing() -> None:
    values, fraud = data(500)
    fraud[np.flatnonzero(fraud)[9:]] = 0
    sample = ExplainedRows(values, fraud, np.ones(fraud.size))
    assert permutation_drops(score, sample, [1], repeats=1, seed=0) == ()


def test_contributions_and_gain_of_boosted_trees() -> None:
    values, fraud = data()
    matrix = xgb.DMatrix(values, label=fraud)
    booster = xgb.train({"max_depth": 3, "nthread": 1}, matrix, 10)
    sample = ExplainedRows(values[:400], fraud[:400], np.ones(400))
    found = boosted_importance(bytes(booster.save_raw("ubj")), sample)
    added = np.abs(booster.predict(xgb.DMatrix(values[:400]), pred_contribs=True)[:, :-1])
    assert found.contribution == pytest.approx(added.mean(axis=0), abs=1e-6)
    assert np.argsort(-found.gain)[:2].tolist() == [1, 3]
    assert found.gain.sum() == pytest.approx(1)
