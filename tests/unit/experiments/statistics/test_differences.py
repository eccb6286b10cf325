"""Differences between sides: on the same payments, and between customers of two arms."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics.differences import Difference, Half, at_one_look, by_customer, paired
from experiments.statistics.losses import AVERAGE_PRECISION, BRIER, COST, FRAUDS_STOPPED, Loss

CUSTOMERS = 400


def arm(rng: np.random.Generator, stops: float, payments: int = 3_000) -> Half:
    """Frauds of customers who differ: some are stopped nearly always, others hardly ever. Payments
    of a customer are spread over the whole time."""
    habit = rng.beta(stops * 2, (1 - stops) * 2, CUSTOMERS)
    customer = rng.integers(0, CUSTOMERS, payments)
    fraud = (rng.random(payments) < 0.5).astype(float)
    value = fraud * (rng.random(payments) < habit[customer])
    return Half(
        Loss(FRAUDS_STOPPED, value, fraud, fraud),
        customer,
        np.sort(rng.integers(0, 10**6, payments)),
    )


def test_arms_without_a_difference_err_less_often_than_stated() -> None:
    rng = np.random.default_rng(3)
    worlds, errors, naive = 120, 0, 0
    for _ in range(worlds):
        one, other = arm(rng, 0.5), arm(rng, 0.5)
        track = by_customer(one, other).track
        assert track is not None
        errors += bool(((track.low > 0) | (track.high < 0)).any())
        # As if payments were independent, at the same looks.
        share = 1 / (2 * track.rows / 4)
        naive += bool((np.abs(track.estimate) > 1.96 * np.sqrt(2 * 0.25 * share)).any())
    assert errors <= 0.05 * worlds
    assert naive > 0.3 * worlds


def test_arms_with_a_difference_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    found = [by_customer(arm(rng, 0.65), arm(rng, 0.45)) for _ in range(20)]
    assert sum(d.verdict == "better" for d in found) >= 19
    assert by_customer(arm(rng, 0.45), arm(rng, 0.65)).verdict == "worse"
    d = found[0]
    assert d.side is not None
    assert d.against is not None
    assert d.difference == pytest.approx(d.side - d.against)
    assert d.method == "asymptotic"


def test_the_error_of_an_arm_is_that_of_its_customers() -> None:
    """Against the textbook: residuals of a ratio, with each customer as one draw."""
    rng = np.random.default_rng(5)
    one, other = arm(rng, 0.5), arm(rng, 0.5)
    track = by_customer(one, other).track
    assert track is not None
    drawn = []
    for half in (one, other):
        value = np.bincount(half.customer, half.loss.value, CUSTOMERS)
        weight = np.bincount(half.customer, half.loss.weight, CUSTOMERS)
        means = []
        for _ in range(2_000):
            copies = np.bincount(rng.integers(0, CUSTOMERS, CUSTOMERS), minlength=CUSTOMERS)
            means.append((copies @ value) / (copies @ weight))
        drawn.append(np.std(means))
    from experiments.statistics.confidence_sequence import clt_radius

    radius = (track.high[-1] - track.low[-1]) / 2
    error = radius / clt_radius(np.array([CUSTOMERS / 2.0]))[0]
    assert error == pytest.approx(np.hypot(*drawn), rel=0.08)


def test_paired_differences_count_only_rows_that_count() -> None:
    fraud = np.array([1.0, 0.0, 1.0, 1.0])
    one = Loss(FRAUDS_STOPPED, np.array([1.0, 0.0, 1.0, 0.0]), fraud, fraud)
    other = Loss(FRAUDS_STOPPED, np.array([0.0, 0.0, 1.0, 0.0]), fraud, fraud)
    d = paired(one, other, np.array([10, 20, 30, 40]))
    assert (d.side, d.against, d.difference) == pytest.approx((2 / 3, 1 / 3, 1 / 3))
    assert d.track is not None
    assert d.at_ms is not None
    assert d.track.rows.tolist() == [1, 2, 3]
    assert d.at_ms.tolist() == [10, 30, 40]
    assert d.method == "empirical_bernstein"
    assert d.verdict == "open"


def test_costs_have_no_bound() -> None:
    cost = np.tile([100.0, 0.0], 200)
    one = Loss(COST, cost, np.ones(400), cost)
    d = paired(one, Loss(COST, cost * 1.5, np.ones(400), cost), np.arange(400))
    assert (d.method, d.verdict) == ("asymptotic", "better")
    assert d.difference == -25.0


def test_nothing_to_compare_is_open() -> None:
    none = Loss(FRAUDS_STOPPED, np.zeros(3), np.zeros(3), np.zeros(3))
    d = paired(none, none, np.arange(3))
    assert (d.difference, d.low, d.verdict) == (None, None, "open")
    loss = Loss(BRIER, np.empty(0), np.empty(0), np.empty(0))
    half = Half(loss, np.empty(0, np.int64), np.empty(0, np.int64))
    assert by_customer(half, half).verdict == "open"


def test_a_bootstrap_says_that_it_holds_once() -> None:
    d = at_one_look(AVERAGE_PRECISION, 0.6, 0.5, (0.05, 0.15))
    assert d == Difference(
        AVERAGE_PRECISION, 0.6, 0.5, pytest.approx(0.1), 0.05, 0.15, "bootstrap", True
    )
    assert d.verdict == "better"
    assert at_one_look(AVERAGE_PRECISION, float("nan"), 0.5, None).difference is None


def spent(rng: np.random.Generator, payments: int) -> Half:
    """Costs of an arm: few payments are missed frauds, of amounts that differ a lot."""
    fraud = rng.random(payments) < 0.03
    amount = rng.lognormal(4, 1, payments)
    value = np.where(fraud & (rng.random(payments) < 0.4), amount, 0.0)
    customer = rng.integers(0, payments // 8, payments)
    loss = Loss(COST, value, np.ones(payments), np.where(fraud, amount, 0.0))
    return Half(loss, customer, np.sort(rng.integers(0, 10**6, payments)))


@pytest.mark.slow
def test_costs_of_a_small_arm_err_less_often_than_stated() -> None:
    rng = np.random.default_rng(1)
    worlds, wrong, shown = 150, 0, 0
    for _ in range(worlds):
        track = by_customer(spent(rng, 3_000), spent(rng, 20_000)).track
        assert track is not None
        wrong += bool(((track.low > 0) | (track.high < 0)).any())
        shown += bool(np.isfinite(track.low[-1]))
    assert wrong <= 0.05 * worlds
    assert shown > 0.5 * worlds
