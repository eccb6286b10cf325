"""The limiter on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest

from fraud.access.tiers import Quota, Tier
from fraud.errors import StoreUnavailable
from serve_app.gateway.ratelimit.interface import AdmissionRequest, Limiter, Sender
from serve_app.gateway.ratelimit.redis import RedisLimiter
from stores.redis.connection import RedisConnection
from tests.contracts.rate_limiter import Clock, LimiterMaker, RateLimiterContract, sender

# The clock of Redis cannot be moved: tests use one of their own, kept in Redis.
CLOCK = "local NOW = tonumber(redis.call('GET', 'now'))"


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisConnection]:
    link = RedisConnection(redis_url, 30_000)
    await link.call("FLUSHALL")
    yield link
    await link.close()


class _Moved:
    """A limiter on a clock moved by hand, with fresh counters for each maker."""

    def __init__(self, link: RedisConnection, clock: Clock) -> None:
        self._redis = link
        self._clock = clock
        self._limiter = RedisLimiter(link, CLOCK)

    async def admit(self, ask: AdmissionRequest) -> object:
        await self._redis.call("SET", "now", self._clock.now_us)
        return await self._limiter.admit(ask)


class TestRedisLimiter(RateLimiterContract):
    @pytest.fixture
    def make_limiter(self, link: RedisConnection) -> LimiterMaker:
        async def make(clock: Clock) -> Limiter:
            await link.call("FLUSHALL")
            return _Moved(link, clock)  # type: ignore[return-value]

        return make


async def test_on_redis_own_clock_two_limiters_share_a_quota(
    link: RedisConnection, redis_url: str
) -> None:
    tier = Tier("t", Quota(100, 600), Quota(1_000, 600))
    others = RedisConnection(redis_url, 30_000)
    limiters = [RedisLimiter(link), RedisLimiter(others)]

    async def admitted(i: int) -> int:
        ask = AdmissionRequest.of([Sender("k", "acme", tier, [f"c{i}", "hot", "hot"])])
        return 3 - len((await limiters[i % 2].admit(ask)).refused)

    assert sum(await asyncio.gather(*(admitted(i) for i in range(60)))) == 100
    await others.close()


async def test_state_is_small_and_expires(link: RedisConnection) -> None:
    limiter = RedisLimiter(link)
    for _ in range(20):
        await limiter.admit(AdmissionRequest.of([sender("b", ["x", "y"])]))
    names = await link.call("KEYS", "q:r:*")
    assert sorted(name.decode() for name in names) == [
        "q:r:customer:30:acme:x",
        "q:r:customer:30:acme:y",
        "q:r:key:10:b",
    ]
    for name in names:
        seconds = await link.call("TTL", name)
        assert 0 < seconds <= 34
        assert await link.call("STRLEN", name) <= 64


async def test_a_batch_of_more_counters_than_lua_takes_arguments(link: RedisConnection) -> None:
    limiter = RedisLimiter(link)
    tier = Tier("t", Quota(20_000, 10), Quota(1, 10))
    ask = AdmissionRequest.of([Sender("k", "acme", tier, [f"c{i}" for i in range(9_000)])])
    assert not (await limiter.admit(ask)).refused
    verdict = await limiter.admit(ask)
    assert len(verdict.refused) == 9_000
    assert verdict.usage[0].remaining == 11_000


async def test_those_who_share_the_limits_are_counted(link: RedisConnection) -> None:
    now = count(1_000_000_000, 1_000_000)
    limiter = RedisLimiter(link, CLOCK)

    async def register(who: str) -> int:
        await link.call("SET", "now", next(now))
        return await limiter.register(who)

    assert [await register(who) for who in "aabcb"] == [1, 1, 2, 3, 3]
    # A limiter that was silent for five seconds no longer counts.
    assert [await register("c") for _ in range(6)] == [3, 2, 2, 2, 1, 1]


async def test_a_redis_that_is_not_there_is_said_so() -> None:
    limiter = RedisLimiter(RedisConnection("redis://127.0.0.1:1/0", 200))
    with pytest.raises(StoreUnavailable):
        await limiter.admit(AdmissionRequest.of([sender("a", ["x"])]))
