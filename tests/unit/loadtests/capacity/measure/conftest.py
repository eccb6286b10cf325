"""Payments to play."""

from __future__ import annotations

import pytest

from loadtests.payments import Payment


@pytest.fixture(scope="session")
def payments() -> list[Payment]:
    """Thirty payments of three customers, a second apart."""
    return [
        Payment(
            1000 * i,
            b'"customer_id":"c%d~again~","amount":"12.5","currency":"EUR","type":"purchase",'
            b'"merchant_id":"m1~again~","country":"DE"}' % (i % 3),
            None,
        )
        for i in range(30)
    ]
