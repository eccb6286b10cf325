"""The front's limits: whom it asks, what it remembers, what it does while Redis is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fraud.access.tiers import TIERS
from fraud.errors import RateLimited, StoreUnavailable
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit import limits as module
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.local import LocalLimiter
from tests.contracts.front import FakeRedisLimiter
from tests.contracts.waiting import until

FREE = Principal("k-free", "acme", "free")
STANDARD = Principal("k-standard", "acme", "standard")


class Limits:
    """RateLimits on a clock moved by hand."""

    def __init__(self) -> None:
        self.redis = FakeRedisLimiter()
        self.limits = RateLimits(
            self.redis,
            "me",
            LocalLimiter(lambda: self.redis.now_us),
            lambda: self.redis.now_us / 1e6,
        )

    def later(self, seconds: float) -> None:
        self.redis.now_us += round(seconds * 1e6)

    async def send(self, who: Principal, *customers: str) -> dict[int, Any]:
        rows = [
            Transaction(f"t{i}", customer, 0, 100, "EUR", "purchase")
            for i, customer in enumerate(customers)
        ]
        return await self.limits.admit([(who, TransactionBatch.of(who.tenant, rows))])

    def told(self, who: Principal) -> str:
        return dict(self.limits.headers(who))[b"ratelimit"].decode()


@pytest.fixture
def house() -> Limits:
    return Limits()


async def test_rows_over_a_limit_are_named_with_their_limit_and_wait(house: Limits) -> None:
    assert await house.send(FREE, *(f"c{i}" for i in range(50))) == {}
    refused = await house.send(FREE, "c1", "c2")
    assert list(refused) == [0, 1]
    assert refused[0] is refused[1]
    assert (refused[0].limit, refused[0].rows, refused[0].window_s) == ("key", 50, 1)
    assert 1.0 < refused[0].wait_s <= 1.1


async def test_submissions_of_several_keys_are_numbered_through(house: Limits) -> None:
    rows = TransactionBatch.of(
        "acme", [Transaction(f"t{i}", "hot", 0, 100, "EUR", "purchase") for i in range(40)]
    )
    refused = await house.limits.admit([(FREE, rows), (STANDARD, rows), (FREE, rows)])
    # Customer `hot` has had 60 rows before the free key's twenty-first of the second lot.
    assert list(refused) == list(range(80, 120))
    assert {error.limit for error in refused.values()} == {"customer"}


async def test_headers_follow_what_was_counted(house: Limits) -> None:
    policy = dict(house.limits.headers(FREE))[b"ratelimit-policy"]
    assert policy == b'"key";q=50;w=1, "customer";q=60;w=60'
    assert house.told(FREE) == '"key";r=50;t=1'
    await house.send(FREE, "a", "b", "c")
    assert house.told(FREE) == '"key";r=47;t=2'
    house.later(0.5)
    assert house.told(FREE) == '"key";r=47;t=1'
    house.later(0.7)
    assert house.told(FREE) == '"key";r=50;t=1'
    assert house.limits.policy(FREE) == ((b"ratelimit-policy", policy),)


async def test_a_key_without_rows_is_refused_before_it_waits_until_some_are_back(
    house: Limits,
) -> None:
    house.limits.refuse_exhausted(FREE)
    await house.send(FREE, *(f"c{i}" for i in range(50)))
    with pytest.raises(RateLimited) as caught:
        house.limits.refuse_exhausted(FREE)
    assert 0 < caught.value.wait_s <= 1.1
    house.limits.refuse_exhausted(STANDARD)
    # A better tier counts at once.
    house.limits.refuse_exhausted(Principal(FREE.key_id, "acme", "standard"))
    house.later(caught.value.wait_s)
    house.limits.refuse_exhausted(FREE)
    assert await house.send(FREE, "c") == {}


async def test_a_tier_of_another_release_is_the_default_one(house: Limits) -> None:
    other = Principal("k", "acme", "of-tomorrow")
    assert await house.send(other, "c") == {}
    assert house.told(other) == f'"key";r={TIERS["standard"].key.rows - 1};t=2'


async def test_no_row_is_refused_because_redis_is_gone(house: Limits) -> None:
    house.redis.error = StoreUnavailable("gone")
    assert await house.send(FREE, *(f"c{i}" for i in range(50))) == {}
    assert house.limits.is_local
    # Not asked again by rows: a dead Redis costs its timeout once.
    assert house.redis.asked == 1
    assert list(await house.send(FREE, "c")) == [0]
    assert house.redis.asked == 1


async def test_while_redis_is_gone_each_ingress_keeps_its_share(house: Limits) -> None:
    house.redis.sharers = 4
    house.limits.start()
    await house.send(FREE, "first")
    await until(lambda: house.limits._sharers == 4)
    house.redis.error = StoreUnavailable("gone")
    refused = await house.send(FREE, *(f"c{i}" for i in range(20)))
    assert list(refused) == list(range(50 // 4, 20))
    await house.limits.close()
    assert house.redis.closed


async def test_an_ingress_takes_a_share_with_its_first_row(
    house: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REGISTER_EVERY_S", 0.005)
    registered = 0

    async def register(_: str) -> int:
        nonlocal registered
        registered += 1
        return 2

    monkeypatch.setattr(house.redis, "register", register)
    house.limits.start()
    await asyncio.sleep(0.05)
    assert registered == 0
    await house.send(FREE, "c")
    await until(lambda: registered > 1)
    await house.limits.close()


async def test_redis_is_used_again_once_it_is_back(
    house: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REGISTER_EVERY_S", 0.005)
    house.redis.error = StoreUnavailable("gone")
    house.limits.start()
    house.limits.start()
    await house.send(FREE, "c")
    assert house.limits.is_local
    house.redis.error = None
    await until(lambda: not house.limits.is_local)
    asked = house.redis.asked
    await house.send(FREE, "c")
    assert house.redis.asked == asked + 1
    await house.limits.close()


async def test_what_is_remembered_is_bounded(
    house: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 10)
    for i in range(30):
        await house.send(Principal(f"k{i}", "acme", "free"), "c")
    assert len(house.limits._standings) == 10
