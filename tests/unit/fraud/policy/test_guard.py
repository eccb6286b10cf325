"""Bands of guard rails, and arms that leave them."""

from __future__ import annotations

import pytest

from fraud.policy.guard import BLOCK_RATE, ERROR_RATE, P95, Breach, Guard
from fraud.policy.health import Health

GUARD = Guard(max_error_rate=0.05, max_p95_ms=40, block_rate=(0.01, 0.1), min_decisions=100)
WELL = Health(decisions=200, errors=10, blocks=20, p95_ms=40.0)


def test_an_arm_at_the_edge_of_every_band_stays():
    assert GUARD.breach(WELL) is None
    assert GUARD.breach(Health(200, 0, 2, None)) is None


@pytest.mark.parametrize(
    ("health", "band", "detail"),
    [
        (
            Health(200, 11, 10, 30.0),
            ERROR_RATE,
            "5.5 % of 200 decisions lack a vote, and at most 5 % may",
        ),
        (
            Health(200, 0, 10, 41.4),
            P95,
            "95 % of 200 decisions got their votes within 41 ms, not within 40",
        ),
        (
            Health(200, 0, 21, 30.0),
            BLOCK_RATE,
            "10.5 % of 200 decisions are blocked, and 1 % to 10 % should be",
        ),
        (
            Health(200, 0, 1, 30.0),
            BLOCK_RATE,
            "0.5 % of 200 decisions are blocked, and 1 % to 10 % should be",
        ),
    ],
)
def test_each_band_can_be_left(health: Health, band: str, detail: str):
    breach = GUARD.breach(health)
    assert breach == Breach(band, detail)
    assert str(breach) == detail


def test_too_few_decisions_prove_nothing():
    assert GUARD.breach(Health(99, 99, 99, 9_000.0)) is None
    assert GUARD.breach(Health(100, 100, 100, 9_000.0)) is not None
    assert not GUARD.suffices(Health(99))
    assert not Guard(min_decisions=0).suffices(Health())


def test_a_band_that_is_not_set_is_not_watched():
    assert Guard().breach(Health(1_000, 1_000, 1_000, 9_000.0)) is None
    assert Guard(max_p95_ms=1).breach(Health(1_000, 0, 0, None)) is None
