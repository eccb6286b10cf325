from __future__ import annotations

import math

import pytest

from features.definitions import FEATURES
from tests.contracts.aggregates import features_of, payment, saw


def habits(**given: object) -> dict[str, float]:
    columns = features_of(payment(amount_minor=10_000), saw("customer", **given))
    return {f.name: columns[f.name][0] for f in FEATURES if f.family == "habit"}


def test_habits_worked_out_by_hand() -> None:
    # In 60 days 12 payments, 600 in all, of 10 to 200, deviation 40; in the last week 7 of 105.
    got = habits(
        count=[0, 0, 7, 9, 12],
        total=[0, 0, 10_500, 30_000, 60_000],
        squares=[0, 0, 200_000, 3_000_000, 12 * (50 * 50 + 40 * 40) * 100],
        largest=[2_500, 10_000, 20_000],
    )
    assert got == pytest.approx(
        {
            "customer_max_amount_7d": 25,
            "customer_max_amount_30d": 100,
            "customer_max_amount_60d": 200,
            "customer_amount_to_max_30d": 1,
            "customer_amount_to_max_60d": 0.5,
            "customer_amount_ratio_60d": 2,
            "customer_amount_zscore_60d": 1.25,
            "customer_mean_trend_7d": 15 / 50,
            "customer_max_ratio_7d": 0.5,
            "customer_count_trend_7d": (7 / 7) / (12 / 60),
            "customer_amount_to_trimmed_60d": 100 / (400 / 11),
        }
    )


def test_without_payments_nothing_is_usual() -> None:
    assert all(math.isnan(value) for value in habits().values())


def test_a_single_payment_is_not_trimmed() -> None:
    got = habits(count=[1] * 5, total=[5_000] * 5, largest=[5_000] * 3)
    assert math.isnan(got["customer_amount_to_trimmed_60d"])
    assert got["customer_amount_to_max_60d"] == 2


def test_the_largest_saturates_and_a_single_payment_still_says_nothing() -> None:
    got = habits(count=[1] * 5, total=[10**12] * 5, largest=[2**32 - 1] * 3)
    assert math.isnan(got["customer_amount_to_trimmed_60d"])
