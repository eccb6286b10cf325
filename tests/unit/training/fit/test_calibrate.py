from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fraud.errors import NotTrainable
from training.fit.calibrate import (
    HIGHEST,
    LOWEST,
    anomaly_knots,
    beta_knots,
    calibrated,
    fit_calibration,
    probability_knots,
    rounding_reach,
    time_folds,
)


def _drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose fraud rate is the square of the score."""
    rng = np.random.default_rng(seed)
    raw = rng.beta(0.5, 4, n)
    return raw, (rng.random(n) < raw**2).astype(np.float32)


def _check_knots(knots: tuple[tuple[float, float], ...], lowest: float, highest: float) -> None:
    x, y = np.array(knots).T
    assert len(knots) <= 200
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert y.min() >= lowest
    assert y.max() <= highest


def test_probabilities_come_out_right_on_other_rows() -> None:
    knots = probability_knots(*_drawn(60_000))
    _check_knots(knots, LOWEST, HIGHEST)
    grid = np.linspace(0.05, 0.6, 12)
    assert np.abs(calibrated(grid, knots) - grid**2).max() < 0.06


def test_distinct_scores_stay_distinct() -> None:
    knots = probability_knots(*_drawn(20_000))
    grid = np.linspace(0.001, 0.999, 500)
    assert (np.diff(calibrated(grid, knots)) > 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=300),
    st.integers(0, 2**32 - 1),
)
def test_any_scores_give_knots_that_a_manifest_takes(raw: list[float], seed: int) -> None:
    scores = np.array(raw)
    fraud = (np.random.default_rng(seed).random(len(raw)) < 0.3).astype(np.float32)
    fraud[0], fraud[1] = 1, 0
    knots = probability_knots(scores, fraud)
    _check_knots(knots, LOWEST, HIGHEST)
    _check_knots(anomaly_knots(scores), 0, 1)
    assert np.isfinite(calibrated(scores, knots)).all()


def test_anomaly_scores_become_quantiles() -> None:
    rng = np.random.default_rng(1)
    knots = anomaly_knots(rng.normal(0.4, 0.05, 50_000))
    _check_knots(knots, 0, 1)
    mapped = calibrated(rng.normal(0.4, 0.05, 50_000), knots)
    for level in (0.1, 0.5, 0.9, 0.99, 0.999):
        assert (mapped >= level).mean() == pytest.approx(1 - level, abs=0.01)


def test_same_scores_give_the_same_knots() -> None:
    assert probability_knots(*_drawn(5000)) == probability_knots(*_drawn(5000))


def test_rounding_reach_follows_the_slope() -> None:
    flat, steep = ((0.0, 0.1), (1.0, 0.2)), ((0.0, 0.0), (0.4999, 0.0), (0.5, 0.9), (1.0, 1.0))
    raw = np.array([0.2, 0.49995])
    assert rounding_reach(raw, flat) == 1e-5
    assert 0.015 < rounding_reach(raw, steep) < 0.05


def test_beta_knots_follow_the_curve() -> None:
    # A beta calibrated score: what the family is made for.
    rng = np.random.default_rng(2)
    raw = rng.beta(0.6, 1.5, 80_000)
    truth = 1 / (1 + np.exp(-(-1.0 + 0.8 * np.log(raw + 1e-9) - 0.5 * np.log1p(-raw))))
    fraud = (rng.random(raw.size) < truth).astype(np.float32)
    knots = beta_knots(raw, fraud)
    _check_knots(knots, LOWEST, HIGHEST)
    grid = np.linspace(0.01, 0.8, 60)
    expected = 1 / (1 + np.exp(-(-1.0 + 0.8 * np.log(grid) - 0.5 * np.log1p(-grid))))
    assert np.abs(calibrated(grid, knots) - expected).max() < 0.03
    assert (np.diff(calibrated(np.linspace(0.001, 0.999, 500), knots)) > 0).all()


def test_the_method_that_errs_less_on_later_rows_is_taken() -> None:
    rng = np.random.default_rng(3)
    raw = rng.random(40_000)
    stairs = (rng.random(raw.size) < np.where(raw > 0.7, 0.6, 0.05)).astype(np.float32)
    found = fit_calibration(raw, stairs)
    assert found.method == "isotonic"
    assert found.errors["isotonic"] < found.errors["beta"]
    few = raw[:600] ** 3
    curve = (rng.random(few.size) < few).astype(np.float32)
    chosen = fit_calibration(few, curve)
    assert chosen.method == min(chosen.errors, key=lambda m: chosen.errors[m])
    assert chosen.knots == (beta_knots if chosen.method == "beta" else probability_knots)(
        few, curve
    )


def test_too_few_frauds_to_choose_by_take_the_map_with_fewer_numbers() -> None:
    fraud = np.zeros(300, np.float32)
    fraud[[50, 200, 290]] = 1
    found = fit_calibration(np.linspace(0, 1, 300), fraud)
    assert (found.method, found.errors) == ("beta", {})


def test_folds_hold_equally_many_frauds_and_follow_each_other() -> None:
    fraud = (np.random.default_rng(5).random(5000) < 0.02).astype(np.float32)
    folds = time_folds(fraud, 4, 3)
    assert len(folds) == 3
    for before, fold in folds:
        assert before.stop == fold.start
        assert fraud[fold].sum() == pytest.approx(fraud.sum() / 4, abs=1)
    assert folds[-1][1].stop == fraud.size


def _ranked(n: int = 60_000, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a good model of a rare event, with labels: rate 0.5 %, ROC AUC 0.9."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-7.0, 2.0, n)
    p = 1 / (1 + np.exp(-odds))
    return p, (rng.random(n) < p).astype(np.float32)


_SCALES = {
    "as it is": lambda s: s,
    "shrunk by 1e-5": lambda s: s * 1e-5,
    "shrunk by 1e-12": lambda s: s * 1e-12,
    "a power": lambda s: s**4,
    "a root": lambda s: s**0.1,
    "all near 1": lambda s: 1 - 1e-3 * (1 - s),
    "around a half": lambda s: 0.5 + 1e-2 * (s - 0.5),
    "as float32": lambda s: (s * 1e-4).astype(np.float32).astype(np.float64),
}


@pytest.mark.parametrize("scale", _SCALES)
def test_probabilities_do_not_depend_on_the_scale_of_the_scores(scale: str) -> None:
    truth, fraud = _ranked()
    raw = _SCALES[scale](truth)
    found = fit_calibration(raw, fraud)
    probability = calibrated(raw, found.knots)
    assert probability.mean() == pytest.approx(fraud.mean(), rel=0.1)
    assert roc_auc_score(fraud, probability) > roc_auc_score(fraud, truth) - 0.005
    for fit in (probability_knots, beta_knots):
        _check_knots(fit(raw, fraud), LOWEST, HIGHEST)
    # On later rows as well, in the half that matters: said and seen agree in each tenth of it.
    other, seen = _ranked(seed=12)
    said = calibrated(_SCALES[scale](other), found.knots)
    for part in np.array_split(np.argsort(said)[said.size // 2 :], 10):
        expected = max(float(seen[part].sum()), 1.0)
        assert float(said[part].sum()) == pytest.approx(
            expected, abs=5 * np.sqrt(expected) + 0.3 * expected
        )


def test_a_map_that_does_not_follow_the_scores_is_refused() -> None:
    truth, fraud = _ranked()
    # No float32 tells these apart, so no model file could have given them.
    with pytest.raises(NotTrainable, match=r"frauds predicted in the top tenth, \d+ observed"):
        fit_calibration(0.5 + 1e-9 * truth, fraud)


def test_scores_without_any_ranking_are_still_probabilities() -> None:
    fraud = (np.random.default_rng(4).random(5000) < 0.02).astype(np.float32)
    found = fit_calibration(np.full(5000, 3e-7), fraud)
    assert calibrated(np.array([3e-7]), found.knots)[0] == pytest.approx(fraud.mean(), rel=0.05)


def test_a_machines_last_bits_move_little_at_any_scale() -> None:
    truth, fraud = _ranked()
    for shrink in (1.0, 1e-5):
        knots = fit_calibration(truth * shrink, fraud).knots
        assert rounding_reach(truth * shrink, knots) < 1e-3


@pytest.mark.parametrize("first", [3, 40, 75, 100])
def test_rows_that_begin_with_fraud_alone_can_be_calibrated(first: int) -> None:
    """Frauds of an old case file lie before all other payments."""
    rng = np.random.default_rng(5)
    fraud = np.zeros(4_000, np.float32)
    fraud[:first] = 1
    fraud[rng.choice(np.arange(first, 4_000), 100 - first, replace=False)] = 1
    raw = 1 / (1 + np.exp(-(rng.normal(-4, 1, 4_000) + 2 * fraud)))
    fit = fit_calibration(raw, fraud)
    assert calibrated(raw, fit.knots).mean() == pytest.approx(fraud.mean(), rel=0.1)
    for before, _ in time_folds(fraud, 4, 3):
        assert 0 < fraud[before].sum() < fraud[before].size


@pytest.mark.parametrize("kind", [0, 1])
def test_rows_of_one_kind_are_refused_by_name(kind: int) -> None:
    raw, fraud = np.linspace(0, 1, 50), np.full(50, kind, np.float32)
    for fit in (fit_calibration, beta_knots):
        with pytest.raises(NotTrainable, match="hold only"):
            fit(raw, fraud)
