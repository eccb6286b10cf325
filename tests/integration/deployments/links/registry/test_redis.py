"""The registry in a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from deployments.links.registry import redis as module
from deployments.links.registry.redis import RedisRegistry
from fraud.errors import StoreUnavailable
from stores.redis.connection import RedisConnection
from tests.contracts.ports import free_ports
from tests.contracts.registry import (
    A,
    B,
    Subject,
    check_that_entries_come_and_go,
    check_that_only_fresh_entries_are_returned,
)


@pytest.fixture
async def redis(redis_url) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(redis_url, 2_000)
    yield connection
    await connection.close()


@pytest.fixture
def cluster() -> str:
    return uuid4().hex


@pytest.fixture
def subject(redis, cluster) -> Subject:
    async def pass_s(seconds: float) -> None:
        await age(redis, cluster, seconds)

    return Subject(RedisRegistry(redis, cluster), pass_s)


async def age(redis: RedisConnection, cluster: str, seconds: float) -> None:
    """Make all entries older, as the time of Redis itself cannot be moved."""
    key = f"q:links:{cluster}"
    pairs = await redis.call("HGETALL", key)
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        rest, _, at_s = value.rpartition(b" ")
        await redis.call("HSET", key, name, rest + f" {int(at_s) - int(seconds)}".encode())


async def test_entries_come_and_go(subject):
    await check_that_entries_come_and_go(subject)


async def test_only_fresh_entries_are_returned(subject):
    await check_that_only_fresh_entries_are_returned(subject)


async def test_the_time_is_that_of_redis(redis, cluster, monkeypatch):
    """A machine whose clock is ten minutes off is found, and finds others."""
    registry = RedisRegistry(redis, cluster)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    await registry.announce(A)
    assert await registry.entries() == [A]
    now = int((await redis.call("TIME"))[0])
    value = await redis.call("HGET", f"q:links:{cluster}", A.name)
    assert now - 2 <= int(value.split()[-1]) <= now


async def test_old_entries_are_swept_and_merely_late_ones_kept(redis, cluster):
    registry = RedisRegistry(redis, cluster)
    await registry.announce(A)
    await age(redis, cluster, 50)
    await registry.announce(B)
    assert await registry.entries() == [B]
    key = f"q:links:{cluster}"
    assert await redis.call("HLEN", key) == 2
    await age(redis, cluster, 11)
    assert await registry.entries() == []
    assert await redis.call("HKEYS", key) == [B.name.encode()]


async def test_an_entry_announced_since_it_was_found_old_is_not_swept(redis, cluster):
    registry = RedisRegistry(redis, cluster)
    await registry.announce(A)
    await age(redis, cluster, 100)
    key = f"q:links:{cluster}"
    old = await redis.call("HGET", key, A.name)
    await registry.announce(A)
    await registry._sweep.run(redis, [key], A.name, old)
    assert await registry.entries() == [A]


@pytest.mark.parametrize("junk", [b"", b"10.0.0.1 x n1 1", b"\xff", b"10.0.0.1 1 n 1 1"])
async def test_what_is_no_entry_is_left_out_and_swept(redis, cluster, junk):
    registry = RedisRegistry(redis, cluster)
    await registry.announce(A)
    key = f"q:links:{cluster}"
    await redis.call("HSET", key, "app~Pool~junk", junk)
    assert await registry.entries() == [A]
    assert await redis.call("HKEYS", key) == [A.name.encode()]


async def test_clusters_do_not_see_each_other_and_leave_nothing_behind(redis, cluster):
    ours, theirs = RedisRegistry(redis, cluster), RedisRegistry(redis, uuid4().hex)
    await ours.announce(A)
    await theirs.announce(B)
    assert await ours.entries() == [A]
    assert 0 < await redis.call("TTL", f"q:links:{cluster}") <= module._KEPT_S


async def test_a_redis_that_is_away_is_an_error_and_is_found_again(redis_url):
    (port,) = free_ports(1)
    nobody = RedisRegistry(RedisConnection(f"redis://127.0.0.1:{port}/0", 300), "c")
    for call in (nobody.announce(A), nobody.entries(), nobody.withdraw(A.name)):
        with pytest.raises(StoreUnavailable):
            await call
    connection = RedisConnection(redis_url, 2_000)
    registry = RedisRegistry(connection, uuid4().hex)
    await registry.announce(A)
    # Its scripts are forgotten, and its connection is cut.
    await connection.call("SCRIPT", "FLUSH")
    await connection.close()
    await registry.announce(A)
    assert await registry.entries() == [A]
    await registry.close()
    await asyncio.sleep(0)
