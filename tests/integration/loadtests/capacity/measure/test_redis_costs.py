"""Costs of Redis, measured on a real one."""

from __future__ import annotations

import pytest

from features.definitions import N_FEATURES
from loadtests.capacity.measure.redis_costs import measure_redis
from loadtests.payments import Payment
from settings.settings import Settings


async def test_costs_are_of_the_real_store(stores: Settings, payments: list[Payment]) -> None:
    found = await measure_redis(stores, payments, turns=1, passes=2)
    # Fifty customers of each of one pass of customers, made twice.
    assert found.kinds["customer"] == 50
    assert found.kinds["merchant"] == 5
    assert found.kinds["marker"] == 2 * len(payments)
    # A limit's counter for each customer and for the key.
    assert found.kinds["limit"] >= 50
    # One admits, one observes, and now and then one gives journals new bases.
    assert found.scripts.call == pytest.approx(3.0, abs=1.0)
    assert found.scripts.row < 0.5
    assert found.kind_bytes["features"] > 4 * N_FEATURES
    assert found.kind_bytes["customer"] > found.kind_bytes["marker"] > 50
    assert 5 < found.cpu_us.row < 1000
    # The features go out once more than they come back, for retries.
    assert found.in_bytes.row > 4 * N_FEATURES
    assert found.out_bytes.row > 200
    assert 0.5 < found.overhead < 2
