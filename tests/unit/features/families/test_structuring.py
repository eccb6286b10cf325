from __future__ import annotations

import math

import pytest

from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from tests.contracts.aggregates import features_of, payment, saw


@pytest.mark.parametrize(
    ("hundredths", "near"),
    [
        (BAND_START_HUNDREDTHS - 1, 0),
        (BAND_START_HUNDREDTHS, 1),
        (THRESHOLD_HUNDREDTHS - 1, 1),
        (THRESHOLD_HUNDREDTHS, 0),
    ],
)
def test_just_under_the_threshold(hundredths: int, near: float) -> None:
    got = features_of(payment(amount_minor=hundredths), {})
    assert got["request_is_near_threshold"] == [near]


def test_how_many_were_just_under_it() -> None:
    got = features_of(payment(), saw("customer", near=[2, 3], count=[0, 0, 3, 4, 6]))
    assert got["customer_near_threshold_7d"] == [2]
    assert got["customer_near_threshold_30d"] == [3]
    assert got["customer_near_threshold_share_30d"] == [0.75]
    got = features_of(payment(), saw("counterparty", near=[0, 9]))
    assert got["counterparty_near_threshold_7d"] == [0]
    assert got["counterparty_near_threshold_30d"] == [9]


def test_of_no_payments_no_share_is_known() -> None:
    got = features_of(payment(), saw("customer"))
    assert math.isnan(got["customer_near_threshold_share_30d"][0])
    assert got["customer_near_threshold_30d"] == [0]
