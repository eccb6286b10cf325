"""The gateway's rate limits: shared, local while Redis is down, and what is remembered."""

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

pytestmark = pytest.mark.virtual_time

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

    def standing(self, who: Principal) -> tuple[int, int]:
        """Rows left and seconds until more are back."""
        _, *state = self.limits.standing(who)
        return tuple(state)


@pytest.fixture
def limits() -> Limits:
    return Limits()


async def test_rows_over_a_limit_are_named_with_their_limit_and_wait(limits: Limits) -> None:
    assert await limits.send(FREE, *(f"c{i}" for i in range(50))) == {}
    refused = await limits.send(FREE, "c1", "c2")
    assert list(refused) == [0, 1]
    assert refused[0] is refused[1]
    assert (refused[0].limit, refused[0].rows, refused[0].window_s) == ("key", 50, 1)
    assert 1.0 < refused[0].wait_s <= 1.1


async def test_submissions_of_several_keys_are_numbered_through(limits: Limits) -> None:
    rows = TransactionBatch.of(
        "acme", [Transaction(f"t{i}", "hot", 0, 100, "EUR", "purchase") for i in range(40)]
    )
    refused = await limits.limits.admit([(FREE, rows), (STANDARD, rows), (FREE, rows)])
    # Customer `hot` has had 60 rows before the free key's twenty-first of the second lot.
    assert list(refused) == list(range(80, 120))
    assert {error.limit for error in refused.values()} == {"customer"}


async def test_a_standing_follows_what_was_counted(limits: Limits) -> None:
    assert limits.limits.standing(FREE).tier == TIERS["free"]
    assert limits.standing(FREE) == (50, 1)
    await limits.send(FREE, "a", "b", "c")
    assert limits.standing(FREE) == (47, 2)
    limits.later(0.5)
    assert limits.standing(FREE) == (47, 1)
    limits.later(0.7)
    assert limits.standing(FREE) == (50, 1)


async def test_a_key_without_rows_is_refused_before_it_waits_until_some_are_back(
    limits: Limits,
) -> None:
    limits.limits.refuse_exhausted(FREE)
    await limits.send(FREE, *(f"c{i}" for i in range(50)))
    with pytest.raises(RateLimited) as caught:
        limits.limits.refuse_exhausted(FREE)
    assert 0 < caught.value.wait_s <= 1.1
    limits.limits.refuse_exhausted(STANDARD)
    # A better tier takes effect at once.
    limits.limits.refuse_exhausted(Principal(FREE.key_id, "acme", "standard"))
    limits.later(caught.value.wait_s)
    limits.limits.refuse_exhausted(FREE)
    assert await limits.send(FREE, "c") == {}


async def test_a_tier_of_another_release_is_the_default_one(limits: Limits) -> None:
    other = Principal("k", "acme", "of-tomorrow")
    assert await limits.send(other, "c") == {}
    assert limits.standing(other) == (TIERS["standard"].key.rows - 1, 2)


async def test_no_row_is_refused_because_redis_is_gone(limits: Limits) -> None:
    limits.redis.error = StoreUnavailable("gone")
    assert await limits.send(FREE, *(f"c{i}" for i in range(50))) == {}
    assert limits.limits.is_local
    # Rows do not ask again: a dead Redis costs its timeout once.
    assert limits.redis.asked == 1
    assert list(await limits.send(FREE, "c")) == [0]
    assert limits.redis.asked == 1


async def test_while_redis_is_gone_each_ingress_keeps_its_share(limits: Limits) -> None:
    limits.redis.sharers = 4
    limits.limits.start()
    await limits.send(FREE, "first")
    await until(lambda: limits.limits._sharers == 4)
    limits.redis.error = StoreUnavailable("gone")
    refused = await limits.send(FREE, *(f"c{i}" for i in range(20)))
    assert list(refused) == list(range(50 // 4, 20))
    await limits.limits.close()
    assert limits.redis.closed


async def test_an_ingress_takes_a_share_with_its_first_row(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REGISTER_EVERY_S", 0.005)
    registered = 0

    async def register(_: str) -> int:
        nonlocal registered
        registered += 1
        return 2

    monkeypatch.setattr(limits.redis, "register", register)
    limits.limits.start()
    await asyncio.sleep(0.05)
    assert registered == 0
    await limits.send(FREE, "c")
    await until(lambda: registered > 1)
    await limits.limits.close()


async def test_redis_is_used_again_once_it_is_back(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REGISTER_EVERY_S", 0.005)
    limits.redis.error = StoreUnavailable("gone")
    limits.limits.start()
    limits.limits.start()
    await limits.send(FREE, "c")
    assert limits.limits.is_local
    limits.redis.error = None
    await until(lambda: not limits.limits.is_local)
    asked = limits.redis.asked
    await limits.send(FREE, "c")
    assert limits.redis.asked == asked + 1
    await limits.limits.close()


async def test_what_is_remembered_is_bounded(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KEYS", 10)
    for i in range(30):
        await limits.send(Principal(f"k{i}", "acme", "free"), "c")
    assert len(limits.limits._remembered) == 10
