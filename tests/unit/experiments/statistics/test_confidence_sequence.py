"""Confidence sequences err less often than stated at a hundred looks, and find what is there."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics.confidence_sequence import (
    MIN_EFFECTIVE,
    Track,
    bounded_mean,
    clt_mean,
    clt_radius,
    effective_number,
    evenly_spaced,
)

ROWS = 4_000
WORLDS = 300
LOOKS = evenly_spaced(ROWS, 100)
ERRS = 0.05


def wrong(track: Track, truth: float) -> bool:
    """Whether any look excluded the truth."""
    return bool(((track.low > truth) | (track.high < truth)).any())


def discordant(rng: np.random.Generator, size: int, mean: float, share: float = 0.2) -> np.ndarray:
    """Differences of two sides that differ in a share of frauds: -1, 0 or 1."""
    half = np.array([share - mean, share + mean]) / 2
    return rng.choice([-1.0, 0.0, 1.0], size, p=[half[0], 1 - share, half[1]])


def test_without_a_difference_a_hundred_looks_err_less_often_than_stated() -> None:
    rng = np.random.default_rng(14)
    exact = asymptotic = fixed = 0
    for _ in range(WORLDS):
        moved = discordant(rng, ROWS, 0.0)
        exact += wrong(bounded_mean(moved, LOOKS), 0.0)
        asymptotic += wrong(clt_mean(moved * (size := rng.lognormal(0, 1, ROWS)), size, LOOKS), 0.0)
        mean = np.cumsum(moved)[LOOKS - 1] / LOOKS
        error = 1.96 * np.sqrt(0.2 / LOOKS)
        fixed += bool((np.abs(mean) > error).any())
    assert exact <= ERRS * WORLDS
    assert asymptotic <= ERRS * WORLDS
    # The test can fail: ordinary intervals at the same looks err in a third of the worlds.
    assert fixed > 4 * ERRS * WORLDS


def test_a_real_difference_is_found_and_its_size_is_covered() -> None:
    rng = np.random.default_rng(15)
    found = missed = 0
    for _ in range(100):
        exact = bounded_mean(discordant(rng, ROWS, 0.05), LOOKS)
        scaled = clt_mean(10 * discordant(rng, ROWS, 0.05), np.full(ROWS, 10.0), LOOKS)
        found += bool(exact.low[-1] > 0) and bool(scaled.low[-1] > 0)
        missed += wrong(exact, 0.05) or wrong(scaled, 0.5)
    assert found >= 95
    assert missed <= 5


def test_means_that_drift_are_covered_on_average() -> None:
    """The sequence promises to cover the mean of what was to be expected, not a constant."""
    rng = np.random.default_rng(16)
    chance = np.linspace(-0.2, 0.2, ROWS)
    truth = (np.cumsum(chance) / np.arange(1, ROWS + 1))[LOOKS - 1]
    errors = 0
    for _ in range(100):
        moved = np.where(rng.random(ROWS) < (1 + chance) / 2, 1.0, -1.0)
        track = bounded_mean(moved, LOOKS)
        errors += bool(((track.low > truth) | (track.high < truth)).any())
    assert errors <= 5


def test_the_interval_is_less_than_twice_as_wide_as_at_one_look() -> None:
    moved = discordant(np.random.default_rng(17), ROWS, 0.0)
    track = bounded_mean(moved, np.array([ROWS]))
    ordinary = 2 * 1.96 * moved.std() / np.sqrt(ROWS)
    assert ordinary < track.high[0] - track.low[0] < 2.2 * ordinary


def test_the_boundary_is_the_level_of_the_mixture() -> None:
    """At the radius the mixture of supermartingales is exactly 2 / 0.05, by brute force."""
    from experiments.statistics.confidence_sequence import _RATES

    time = np.array([30.0, 1e3, 1e6])
    s = clt_radius(time) * np.sqrt(time)
    mixture = np.exp(_RATES * s[:, None] - _RATES**2 / 2 * time[:, None]).mean(axis=1)
    assert mixture == pytest.approx(np.full(3, 40.0), rel=1e-9)
    assert (clt_radius(time) > 2.2414).all()  # never narrower than at one look


def test_earlier_looks_do_not_change() -> None:
    moved = discordant(np.random.default_rng(18), ROWS, 0.02)
    at = np.array([100, 1_000])
    now, before = bounded_mean(moved, LOOKS), bounded_mean(moved[:1_000], at)
    where = np.searchsorted(now.rows, 1_000)
    assert now.rows[where] == 1_000
    assert (now.low[where], now.high[where]) == (before.low[1], before.high[1])


def skewed(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Differences of mean 0: a side saves a little on a tenth of payments, and misses a large fraud
    in a while; and the largest difference that each payment could have had."""
    amount = rng.lognormal(4, 1, ROWS)
    saved = np.exp(4.5) * 0.01 / 0.1
    chance = rng.random(ROWS)
    moved = np.where(chance < 0.01, amount, np.where(chance > 0.9, -saved, 0.0))
    return moved, np.where(chance < 0.03, amount, saved)


def test_rare_large_losses_that_have_not_come_yet_are_allowed_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def errors(worlds: int = 150) -> int:
        rng = np.random.default_rng(19)
        return sum(wrong(clt_mean(*skewed(rng), LOOKS), 0.0) for _ in range(worlds))

    assert errors() <= ERRS * 150
    monkeypatch.setattr("experiments.statistics.confidence_sequence.UNSEEN", 0.0)
    assert errors() > 3 * ERRS * 150


def test_few_large_differences_give_no_interval() -> None:
    moved = np.zeros(1_000)
    moved[[3, 50]] = [1e6, 10.0]
    track = clt_mean(moved, np.abs(moved), np.array([1_000]))
    assert np.isnan(track.low).all()
    assert effective_number(np.array([4.0]), np.array([4.0])) == 4.0
    assert effective_number(np.array([0.0]), np.array([0.0])) == 0.0
    n = 2 * int(MIN_EFFECTIVE)
    even = clt_mean(np.tile([1.0, -1.0], n // 2), np.ones(n), np.array([n]))
    assert np.isfinite(even.low).all()


def test_differences_beyond_the_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        bounded_mean(np.array([0.5, 1.5]), np.array([2]))
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        bounded_mean(np.array([0.5, np.nan]), np.array([2]))


def test_looks_rise_to_the_last_row() -> None:
    assert evenly_spaced(3, 60).tolist() == [1, 2, 3]
    assert evenly_spaced(1_000, 4).tolist() == [250, 500, 750, 1_000]
