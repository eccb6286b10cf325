"""The front's rate limits: asked of Redis, kept here while Redis does not answer.

All ingresses share the counters in Redis. One whose Redis does not answer keeps its share of each
quota by itself, and finds out in the background when Redis is back: no row waits for that, and
none is refused because Redis is gone. In the window in which the one takes over from the other a
key may have both quotas.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from fraud.access.tiers import TIERS, Quota, Tier, tier_of
from fraud.errors import RateLimited, StoreUnavailable
from fraud.payment.batch import TransactionBatch
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit.ask import BUCKETS, Ask, Limiter, Sender, Told, Verdict
from serve_app.gateway.ratelimit.local import LocalLimiter
from serve_app.http.problems import Headers
from telemetry.metrics import LIMITS_LOCAL, RATE_LIMITED

logger = logging.getLogger(__name__)

REGISTER_EVERY_S = 1.0
MAX_KEYS = 10_000
"""Keys whose standing is remembered for the headers of answers."""

Submission = tuple[Principal, TransactionBatch]


class SharedLimiter(Limiter, Protocol):
    """A limiter that several ingresses share; `serve_app.gateway.ratelimit.redis.RedisLimiter`."""

    async def register(self, who: str) -> int: ...

    async def close(self) -> None: ...


class _Standing(NamedTuple):
    """How a key stood when it was last counted; times are monotonic seconds."""

    told: Told
    back_at: float
    forgotten_at: float


class RateLimits:
    """Rate limits by key and by customer.

    Args:
        shared: the limiter in Redis; asked only between `start` and `close` to be back.
        who: a name for this ingress that no other has.
        local: the limiter for when the other does not answer.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        shared: SharedLimiter,
        who: str,
        local: Limiter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._who = who
        self._local = local or LocalLimiter()
        self._clock = clock
        self._is_shared = True
        self._sharers = 1
        self._standings: dict[str, _Standing] = {}
        self._policies = {tier.name: _policy(tier) for tier in TIERS.values()}
        self._registering: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()

    @property
    def is_local(self) -> bool:
        """Whether Redis does not answer and limits are kept here."""
        return not self._is_shared

    def start(self) -> None:
        """Register with Redis from now on, every `REGISTER_EVERY_S`: that is how the ingresses
        know how many they are, and that Redis is back. Before its first row it takes no share: it
        may be a spare that never gets one."""
        if self._registering is None:
            self._registering = asyncio.get_running_loop().create_task(self._keep_registering())

    async def close(self) -> None:
        """End what `start` began."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.wait([self._registering])
            self._registering = None
        await self._shared.close()

    async def admit(self, submissions: Iterable[Submission]) -> dict[int, Exception]:
        """Count the rows of a micro-batch.

        Returns:
            row -> RateLimited, for the rows that may not be decided; rows are numbered through.
        """
        asked_at = self._clock()
        self._asked.set()
        ask = Ask.of(
            Sender(who.key_id, who.tenant, tier_of(who.tier), batch.customer_id)
            for who, batch in submissions
        )
        verdict = await self._verdict(ask)
        for told in verdict.told:
            self._remember(told, asked_at)
        return _errors(verdict) if verdict.refused else {}

    def refuse_exhausted(self, who: Principal) -> None:
        """Spares a key that has no rows left the way through the queue: nothing can let it in
        before some of its rows are forgotten.

        Raises:
            RateLimited: it is that soon.
        """
        standing = self._standings.get(who.key_id)
        if standing is None or standing.told.remaining or standing.told.tier.name != who.tier:
            return
        wait_s = standing.back_at - self._clock()
        if wait_s > 0:
            RATE_LIMITED.labels("key").inc()
            quota = standing.told.tier.key
            raise RateLimited("key", quota.rows, quota.window_s, wait_s)

    def policy(self, who: Principal) -> Headers:
        """`RateLimit-Policy`: every limit of the key's tier
        (draft-ietf-httpapi-ratelimit-headers-09)."""
        return (self._policies[tier_of(who.tier).name],)

    def headers(self, who: Principal) -> Headers:
        """`RateLimit-Policy` and `RateLimit`: `r` is what the key had left when it was last
        counted, `t` the whole seconds until more is back."""
        standing = self._standings.get(who.key_id)
        now = self._clock()
        if standing is None or now >= standing.forgotten_at:
            tier = tier_of(who.tier)
            state = b'"key";r=%d;t=%d' % (tier.key.rows, tier.key.window_s)
            return self._policies[tier.name], (b"ratelimit", state)
        told, back_at, _ = standing
        left_s = max(1, math.ceil(back_at - now))
        state = b'"key";r=%d;t=%d' % (told.remaining, left_s)
        return self._policies[told.tier.name], (b"ratelimit", state)

    async def _verdict(self, ask: Ask) -> Verdict:
        if self._is_shared:
            try:
                return await self._shared.admit(ask)
            except StoreUnavailable as error:
                self._lose(error)
        return await self._local.admit(ask.shared(self._sharers))

    def _remember(self, told: Told, asked_at: float) -> None:
        # From when it was asked: what is back is never told too late.
        back_s = told.back_us / 1e6
        window_s = told.tier.key.window_s * (BUCKETS + 1) / BUCKETS
        standings = self._standings
        standings.pop(told.key_id, None)
        standings[told.key_id] = _Standing(told, asked_at + back_s, asked_at + window_s)
        if len(standings) > MAX_KEYS:
            del standings[next(iter(standings))]

    async def _keep_registering(self) -> None:
        await self._asked.wait()
        while True:
            try:
                self._sharers = max(1, await self._shared.register(self._who))
                self._find()
            except StoreUnavailable as error:
                self._lose(error)
            await asyncio.sleep(REGISTER_EVERY_S)

    def _lose(self, error: StoreUnavailable) -> None:
        if self._is_shared:
            self._is_shared = False
            LIMITS_LOCAL.set(1)
            share = "whole" if self._sharers == 1 else f"1/{self._sharers}"
            logger.warning("rate limits are kept locally, %s of each: %s", share, error)

    def _find(self) -> None:
        if not self._is_shared:
            self._is_shared = True
            LIMITS_LOCAL.set(0)
            logger.warning("rate limits are kept in Redis again")


def _errors(verdict: Verdict) -> dict[int, Exception]:
    """Rows that one limit refused for as long share their error: it is told once."""
    shared: dict[tuple[str, int, int], RateLimited] = {}
    errors: dict[int, Exception] = {}
    counts: dict[str, int] = {}
    for row, limit, tier, wait_us in verdict.refused:
        name, quota = tier.limits[limit]
        key = name, quota.rows, wait_us
        if key not in shared:
            shared[key] = RateLimited(name, quota.rows, quota.window_s, wait_us / 1e6)
        errors[row] = shared[key]
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        RATE_LIMITED.labels(name).inc(count)
    return errors


def _policy(tier: Tier) -> tuple[bytes, bytes]:
    def item(name: str, quota: Quota) -> str:
        return f'"{name}";q={quota.rows};w={quota.window_s}'

    return b"ratelimit-policy", ", ".join(item(*limit) for limit in tier.limits).encode()
