"""The gateway's rate limits: counted in Redis, and locally while Redis does not answer.

All ingresses share the counters in Redis. An ingress whose Redis does not answer enforces its share
of each quota by itself and checks in the background whether Redis is back: no row waits for that,
and none is refused because Redis is down. In the window in which one takes over from the other, a
key may use both quotas.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from fraud.access.tiers import Tier, tier_of
from fraud.errors import RateLimited, StoreUnavailable
from fraud.payment.batch import TransactionBatch
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit.interface import (
    BUCKETS,
    Admission,
    AdmissionRequest,
    KeyUsage,
    Limiter,
    Sender,
)
from serve_app.gateway.ratelimit.local import LocalLimiter
from stores.poll import Poll
from telemetry.metrics import LIMITS_LOCAL, RATE_LIMITED

logger = logging.getLogger(__name__)

REGISTER_EVERY_S = 1.0
MAX_KEYS = 10_000
"""Keys whose usage is remembered."""


class SharedLimiter(Limiter, Protocol):
    """A limiter that several ingresses share; `serve_app.gateway.ratelimit.redis.RedisLimiter`."""

    async def register(self, name: str) -> int: ...

    async def close(self) -> None: ...


class Standing(NamedTuple):
    """The state of a key's limit.

    Attributes:
        tier: the tier, with the limits themselves.
        remaining: rows that the key had left when it was last counted, >= 0.
        reset_s: whole seconds until more are back, > 0.
    """

    tier: Tier
    remaining: int
    reset_s: int


class _Remembered(NamedTuple):
    """The usage of a key when it was last counted; times are monotonic seconds."""

    usage: KeyUsage
    back_at: float
    forgotten_at: float


class RateLimits:
    """Rate limits by key and by customer.

    Args:
        shared: the limiter in Redis; polled between `start` and `close`.
        name: the unique name of this ingress.
        local: the limiter for when the shared one does not answer.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        shared: SharedLimiter,
        name: str,
        local: Limiter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._name = name
        self._local = local or LocalLimiter()
        self._clock = clock
        self._is_shared = True
        self._sharers = 1
        self._remembered: dict[str, _Remembered] = {}
        self._registering = Poll("rate-limits", self._register, REGISTER_EVERY_S)
        self._is_used = False

    @property
    def is_local(self) -> bool:
        """Whether Redis does not answer and limits are enforced locally."""
        return not self._is_shared

    def start(self) -> None:
        """Register with Redis from now on, every `REGISTER_EVERY_S`. This counts the ingresses and
        shows whether Redis is back. An ingress takes no share before its first row: it may be a
        spare that never gets one."""
        self._registering.start(after_s=None)

    async def close(self) -> None:
        """Stop registering and close the connection."""
        await self._registering.close()
        await self._shared.close()

    async def admit(
        self, submissions: Iterable[tuple[Principal, TransactionBatch]]
    ) -> dict[int, Exception]:
        """Count the rows of a micro-batch.

        Returns:
            row -> RateLimited, for the rows that may not be decided, numbered consecutively.
        """
        asked_at = self._clock()
        if not self._is_used:
            self._is_used = True
            self._registering.wake()
        request = AdmissionRequest.of(
            Sender(principal.key_id, principal.tenant, tier_of(principal.tier), batch.customer_id)
            for principal, batch in submissions
        )
        admission = await self._admission(request)
        for usage in admission.usage:
            self._remember(usage, asked_at)
        return _errors(admission) if admission.refused else {}

    def refuse_exhausted(self, principal: Principal) -> None:
        """Refuse a key that has no rows left before it waits in the queue: it cannot be admitted
        before some of its rows are forgotten.

        Raises:
            RateLimited: the key has no rows left.
        """
        remembered = self._remembered.get(principal.key_id)
        if remembered is None or remembered.usage.remaining:
            return
        tier = remembered.usage.tier
        wait_s = remembered.back_at - self._clock()
        if tier.name == principal.tier and wait_s > 0:
            RATE_LIMITED.labels("key").inc()
            raise RateLimited("key", tier.key.rows, tier.key.window_s, wait_s)

    def standing(self, principal: Principal) -> Standing:
        """Return the state of a key's limit at its last count."""
        remembered = self._remembered.get(principal.key_id)
        now = self._clock()
        if remembered is None or now >= remembered.forgotten_at:
            tier = tier_of(principal.tier)
            return Standing(tier, tier.key.rows, tier.key.window_s)
        usage, back_at, _ = remembered
        return Standing(usage.tier, usage.remaining, max(1, math.ceil(back_at - now)))

    async def _admission(self, request: AdmissionRequest) -> Admission:
        if self._is_shared:
            try:
                return await self._shared.admit(request)
            except StoreUnavailable as error:
                self._go_local(error)
        return await self._local.admit(request.share_of(self._sharers))

    def _remember(self, usage: KeyUsage, asked_at: float) -> None:
        # Counted from the time of the request, so that a key is never refused for too long.
        back_s = usage.back_us / 1e6
        window_s = usage.tier.key.window_s * (BUCKETS + 1) / BUCKETS
        remembered = self._remembered
        remembered.pop(usage.key_id, None)
        remembered[usage.key_id] = _Remembered(usage, asked_at + back_s, asked_at + window_s)
        if len(remembered) > MAX_KEYS:
            del remembered[next(iter(remembered))]

    async def _register(self) -> None:
        try:
            self._sharers = max(1, await self._shared.register(self._name))
            self._go_shared()
        except StoreUnavailable as error:
            self._go_local(error)

    def _go_local(self, error: StoreUnavailable) -> None:
        if self._is_shared:
            self._is_shared = False
            LIMITS_LOCAL.set(1)
            share = "whole" if self._sharers == 1 else f"1/{self._sharers}"
            logger.warning("rate limits are enforced locally, %s of each: %s", share, error)

    def _go_shared(self) -> None:
        if not self._is_shared:
            self._is_shared = True
            LIMITS_LOCAL.set(0)
            logger.warning("rate limits are counted in Redis again")


def _errors(admission: Admission) -> dict[int, Exception]:
    """Return the error of each refused row. Rows that one limit refused for the same time share
    an error, so that it is rendered once."""
    shared: dict[tuple[str, int, int], RateLimited] = {}
    errors: dict[int, Exception] = {}
    counts: dict[str, int] = {}
    for row, limit, tier, wait_us in admission.refused:
        name, quota = tier.limits[limit]
        key = name, quota.rows, wait_us
        if key not in shared:
            shared[key] = RateLimited(name, quota.rows, quota.window_s, wait_us / 1e6)
        errors[row] = shared[key]
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        RATE_LIMITED.labels(name).inc(count)
    return errors
