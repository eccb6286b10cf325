from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.cards import CardDays
from training.sets.split import DAY_MS


def row_by_row(
    score: np.ndarray, fraud: np.ndarray, customer: np.ndarray, day: np.ndarray, cards: int
) -> float:
    """Card precision by its definition, without arrays."""
    found: set[int] = set()
    shares = []
    for number in sorted(set(day)):
        worst: dict[int, tuple[float, float]] = {}
        for c, s, y, d in zip(customer, score, fraud, day, strict=True):
            if d == number and c not in found:
                before = worst.get(c, (-np.inf, 0.0))
                worst[c] = (max(before[0], s), max(before[1], y))
        ranked = sorted(worst.items(), key=lambda item: (-item[1][0], item[0]))[:cards]
        hits = [c for c, (_, y) in ranked if y > 0]
        found.update(hits)
        if ranked:
            shares.append(len(hits) / len(ranked))
    return float(np.mean(shares)) if shares else 0.0


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 300))
def test_it_is_what_a_loop_over_the_rows_finds(seed: int, cards: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 20, n) / 20
    fraud = (rng.random(n) < 0.2).astype(float)
    customer = rng.integers(0, 40, n)
    day = rng.integers(0, 5, n)
    days = CardDays(score, fraud, customer, day * DAY_MS + rng.integers(0, DAY_MS, n))
    expected = row_by_row(score, fraud, customer, day, cards)
    assert days.precision(cards=cards) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_copies_are_customers_who_behave_alike(seed: int, cards: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    score = rng.permutation(n) / n  # no ties: copies of a customer then stand together
    fraud = (rng.random(n) < 0.3).astype(float)
    customer, day = rng.integers(0, 12, n), np.zeros(n, np.int64)
    copies = rng.integers(0, 3, 12)
    drawn = [(c, k) for c in range(12) for k in range(copies[c])]
    rows_of = [np.flatnonzero(customer == c) for c, _ in drawn]
    rows = np.concatenate([np.zeros(0, np.int64), *rows_of])
    clone = np.repeat([c * 10 + k for c, k in drawn] or [0], [r.size for r in rows_of] or [0])
    expected = row_by_row(score[rows], fraud[rows], clone, day[rows], cards)
    days = CardDays(score, fraud, customer, day)
    assert days.precision(copies.astype(float), cards) == pytest.approx(expected, abs=1e-12)


def test_more_found_customers_than_are_ranked_at_first() -> None:
    # 50 customers found on day 0, one by one, stand above all others on day 1.
    cards, n = 50, 2_000
    score = np.tile(np.arange(n)[::-1] / n, 2)
    customer = np.tile(np.arange(n), 2)
    fraud = np.concatenate([np.arange(n) < cards, np.arange(n) == cards]).astype(float)
    days = CardDays(score, fraud, customer, np.repeat([0, DAY_MS], n))
    assert days.precision(cards=cards) == pytest.approx((1 + 1 / cards) / 2)
    nobody_above = np.ones(n)
    nobody_above[: n - 1] = 0  # all but the last are absent from the resample
    assert days.precision(nobody_above, cards) == 0.0
    assert days.precision(np.zeros(n), cards) == 0.0
