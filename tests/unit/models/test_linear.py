"""What each feature adds to a linear model's log-odds."""

from __future__ import annotations

import numpy as np
import pytest

from models.linear import Columns, LinearContributions
from training.export.linear import fit_columns

N = 5


@pytest.fixture
def x() -> np.ndarray:
    rng = np.random.default_rng(3)
    x = rng.lognormal(size=(500, N)).astype(np.float32)
    x[:, 4] = rng.integers(0, 3, 500)
    x[rng.random(500) < 0.2, 1] = np.nan
    return x


def model(x: np.ndarray, **what: bool) -> tuple[Columns, np.ndarray, LinearContributions]:
    columns = fit_columns(x, (4,), **what)
    seen = columns.transform(x)
    coefficients = np.random.default_rng(4).normal(size=seen.shape[1]).astype(np.float32)
    usual = seen.mean(axis=0)
    return columns, coefficients, LinearContributions(columns, coefficients, usual, N)


@pytest.mark.parametrize("what", [{}, {"steps": True}, {"robust": True, "squares": True}])
def test_they_add_up_to_the_log_odds_beside_the_mean(x: np.ndarray, what: dict[str, bool]) -> None:
    columns, coefficients, added = model(x, **what)
    margin = columns.transform(x).astype(np.float64) @ coefficients
    found = added(x)
    assert found.shape == (500, N)
    assert found.sum(axis=1) == pytest.approx(margin - margin.mean(), abs=1e-3)
    assert np.abs(found.mean(axis=0)).max() < 1e-3


def test_a_feature_adds_what_its_own_columns_add(x: np.ndarray) -> None:
    _, _, added = model(x, steps=True)
    changed = x.copy()
    changed[:, 2] *= 3
    difference = added(changed) - added(x)
    assert np.abs(difference[:, [0, 1, 3, 4]]).max() == 0
    assert np.abs(difference[:, 2]).max() > 0.1


def test_a_row_adds_the_same_in_any_company(x: np.ndarray) -> None:
    _, _, added = model(x, steps=True)
    together = added(x[:20])
    assert [added(x[i : i + 1])[0].tolist() for i in range(20)] == together.tolist()
    assert added(x[:0]).shape == (0, N)


def test_a_file_gives_the_same(x: np.ndarray) -> None:
    _, _, added = model(x, squares=True)
    body = added.to_bytes()
    assert body == added.to_bytes()
    assert LinearContributions.from_bytes(body, N)(x).tolist() == added(x).tolist()
    with pytest.raises(ValueError, match="a feature outside"):
        LinearContributions.from_bytes(body, N - 1)


def test_other_widths_are_refused(x: np.ndarray) -> None:
    columns, coefficients, _ = model(x)
    with pytest.raises(ValueError, match="different widths"):
        LinearContributions(columns, coefficients, coefficients[1:], N)
