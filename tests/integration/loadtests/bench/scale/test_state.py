"""Customers in a Redis of their own, on a real PostgreSQL that holds none of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from pydantic import SecretStr

from features.state.entities import CUSTOMER
from features.state.journal import EVENT_BYTES, events_in
from features.store.call import MOST_EVENTS
from loadtests.bench.scale import state
from loadtests.bench.scale.private_redis import private_redis
from loadtests.bench.scale.state import Population, long_history, many_customers
from settings.settings import Settings


@pytest.fixture
def settings(database_url: str) -> Iterator[Settings]:
    with private_redis() as url:
        yield Settings(
            database_url=SecretStr(database_url),
            redis_url=SecretStr(url),
            redis_timeout_ms=20_000,
            rebuild_wait_ms=60_000,
        )


async def test_every_customer_has_the_history_of_the_seed(settings: Settings) -> None:
    population = await Population.create(settings, customers=200, history=30, repeats=False)
    assert settings.redis_url is not None
    with redis.Redis.from_url(settings.redis_url.get_secret_value()) as client:
        (seed,) = client.scan_iter("q:s:*:seed-customer")
        copies = [client.get(key) for key in client.scan_iter("q:s:*:customer:*:c[0-9]*")]
        assert len(copies) == 200
        assert set(copies) == {client.get(seed)}
        assert events_in(copies[0]) < MOST_EVENTS
    # 200 customers pay for three batches, no more: a turn has ten.
    with pytest.raises(ValueError, match="every customer has paid"):
        await population.turn()
    await population.close()


async def test_every_size_is_measured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "BATCHES_A_TURN", 2)
    found = await many_customers(settings, [100, 300], turns=1)
    assert [point.size for point in found] == [100, 300]
    assert all(value > 0 for point in found for value in point.values.values())


async def test_state_is_bounded_whatever_the_history(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "BATCHES_A_TURN", 2)
    found = await long_history(settings, [10, 400, 2_000], turns=1)
    few, many, more = [point.values["state bytes"] for point in found]
    # A journal is its base, less the zeros, and what came since.
    most = CUSTOMER.size + MOST_EVENTS * EVENT_BYTES
    assert 0 < few < many <= most
    assert more <= most
