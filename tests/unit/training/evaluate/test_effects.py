from __future__ import annotations

import numpy as np
import pytest

from fraud.payment.batch import Float32, Float64
from training.evaluate.effects import effect
from training.evaluate.importance import ExplainedRows


def sample(n: int = 4_000) -> ExplainedRows:
    rng = np.random.default_rng(6)
    values = rng.normal(0, 1, (n, 4)).astype(np.float32)
    values[:, 1] = values[:, 0] + rng.normal(0, 0.1, n)  # says nearly what column 0 says
    values[:, 2] = rng.integers(0, 3, n)
    values[rng.random(n) < 0.25, 3] = np.nan
    return ExplainedRows(values, (rng.random(n) < 0.1).astype(float), np.ones(n))


def probability(log_odds: Float64) -> Float64:
    return 1 / (1 + np.exp(-log_odds))


def score(values: Float32) -> Float64:
    x = values.astype(np.float64)
    code = np.array([0.0, 1.0, -1.0])[x[:, 2].astype(int)]
    return probability(-2 + 0.8 * x[:, 0] + code + np.where(np.isnan(x[:, 3]), 0.5, 0.0))


def test_a_number_moves_log_odds_by_what_the_model_does_with_it() -> None:
    rows = sample()
    found = effect(score, rows, 0, is_code=False)
    assert found is not None
    slope = np.diff(np.log(found.factor)) / np.diff(found.x)
    assert slope == pytest.approx(np.full(slope.size, 0.8), abs=1e-3)
    # The mean over payments is what factors are told against.
    cells = rows.values[:, 0].astype(np.float64)
    at = np.interp(cells, found.x, np.log(found.factor))
    assert np.mean(at) == pytest.approx(0.0, abs=0.02)
    assert (found.x[0], found.x[-1]) == (cells.min(), cells.max())
    assert found.spread.size == 11
    assert found.missing is None


def test_a_column_that_the_model_ignores_has_none_whatever_it_goes_along_with() -> None:
    found = effect(score, sample(), 1, is_code=False)
    assert found is not None
    assert found.factor == pytest.approx(np.ones(found.factor.size))


def test_effects_of_codes_are_relative_to_their_mean() -> None:
    found = effect(score, sample(), 2, is_code=True)
    assert found is not None
    assert found.x.tolist() == [0, 1, 2]
    assert np.diff(np.log(found.factor)) == pytest.approx([1.0, -2.0], abs=1e-6)
    assert found.share.sum() == pytest.approx(1)


def test_unknown_values_have_their_own_effect() -> None:
    found = effect(score, sample(), 3, is_code=False)
    assert found is not None
    assert found.missing == pytest.approx(np.exp(0.5), rel=1e-6)
    assert found.missing_share == pytest.approx(0.25, abs=0.03)


def test_a_constant_has_no_effect_to_tell() -> None:
    rows = sample(100)
    rows.values[:, 0] = 3
    assert effect(score, rows, 0, is_code=False) is None
