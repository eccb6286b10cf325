"""A real Redis that hangs, dies and comes back under the rate limits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cluster.embedded import EmbeddedRedis
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit import limits as module
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.redis import RedisLimiter
from stores.redis.connection import RedisConnection
from tests.contracts.waiting import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis of this test's own."""
    server = EmbeddedRedis(tmp_path / "redis", throwaway=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def limits(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RateLimits]:
    monkeypatch.setattr(module, "REGISTER_EVERY_S", 0.02)
    limits = RateLimits(RedisLimiter(RedisConnection(server.url, 3_000)), "me")
    limits.start()
    yield limits
    await limits.close()


async def refused(limits: RateLimits, n: int) -> int:
    """Return how many of n rows of a free key are refused."""
    rows = [Transaction(f"t{i}", f"c{i}", 0, 100, "EUR", "purchase") for i in range(n)]
    who = Principal("k", "acme", "free")
    return len(await limits.admit([(who, TransactionBatch.of("acme", rows))]))


async def test_a_redis_that_hangs(server: EmbeddedRedis, limits: RateLimits) -> None:
    assert await refused(limits, 10) == 0
    assert not limits.is_local
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        # At once: the first calls wait for the timeout of Redis, none after them does.
        assert await asyncio.gather(*(refused(limits, 5) for _ in range(4))) == [0] * 4
        assert limits.is_local
        # Thirty of fifty rows are left, if the second is not yet over.
        assert await refused(limits, 60) >= 10
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: not limits.is_local)
    assert await refused(limits, 1) in (0, 1)
    assert not limits.is_local


async def test_a_redis_that_dies_and_is_started_again(
    server: EmbeddedRedis, limits: RateLimits
) -> None:
    assert await refused(limits, 1) == 0
    await asyncio.to_thread(server.stop)
    assert await refused(limits, 10) == 0
    await until(lambda: limits.is_local)
    await asyncio.to_thread(server.start)
    await until(lambda: not limits.is_local, timeout_s=30)
    # It has lost the script and the counters, and has them again after one call.
    assert await refused(limits, 60) == 10
    assert not limits.is_local
