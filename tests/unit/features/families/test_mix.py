from __future__ import annotations

import math

import pytest

from features.state.rings import CATEGORY_SLOTS
from tests.contracts.aggregates import features_of, payment, saw


def mix(count: int, total: int) -> list[float]:
    got = features_of(payment(), saw("customer", category_count=count, category_total=total))
    names = ("category_count_60d", "category_share_60d", "category_surprise_60d")
    return [got[f"customer_{name}"][0] for name in names]


def test_a_usual_category_and_a_new_one() -> None:
    usual, new = mix(30, 40), mix(0, 40)
    assert usual == pytest.approx([30, 0.75, -math.log(31 / (40 + CATEGORY_SLOTS))])
    assert new == pytest.approx([0, 0, -math.log(1 / (40 + CATEGORY_SLOTS))])
    assert new[2] > usual[2]


def test_without_payments_every_category_is_as_surprising() -> None:
    count, share, surprise = mix(0, 0)
    assert (count, surprise) == pytest.approx((0, math.log(CATEGORY_SLOTS)))
    assert math.isnan(share)


def test_a_payment_that_names_no_category_says_nothing() -> None:
    assert all(math.isnan(value) for value in mix(-1, 40))
