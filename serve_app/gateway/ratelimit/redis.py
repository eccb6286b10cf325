"""Rate limits that all ingresses share: counters in Redis, one script call a micro-batch."""

from __future__ import annotations

from typing import Any

import msgspec

from serve_app.gateway.ratelimit.interface import BUCKETS, Admission, AdmissionRequest
from stores.redis.connection import RedisConnection
from stores.redis.script import Script
from stores.statements import statement

REMEMBERED_US = 5_000_000
"""How long a limiter that has stopped registering still counts as a sharer."""

_SHARERS = "q:r:fronts"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode


class RedisLimiter:
    """See `Limiter`. Keys: `q:r:key:<window>:<id>` and `q:r:customer:<window>:<tenant>:<id>` hold
    counters and expire with their last row; `q:r:fronts` holds the limiters that share them.

    Args:
        redis: the connection; closed by `close`.
        clock: Lua that defines NOW in microseconds; default: the clock of Redis.
    """

    def __init__(self, redis: RedisConnection, clock: str | None = None) -> None:
        self._redis = redis
        clock = statement("serve_app/gateway/ratelimit/clock.lua") if clock is None else clock
        self._admit = Script(
            clock, f"local BUCKETS = {BUCKETS}", statement("serve_app/gateway/ratelimit/admit.lua")
        )
        self._register = Script(clock, statement("serve_app/gateway/ratelimit/register.lua"))

    async def admit(self, request: AdmissionRequest) -> Admission:
        """See `Limiter`."""
        arguments = _encode(_arguments(request))
        reply: Any = await self._admit.run(self._redis, request.counters, arguments)
        return request.admission(*_decode(reply))

    async def register(self, name: str) -> int:
        """Register `name` and return how many limiters are registered, itself included.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        return int(await self._register.run(self._redis, [_SHARERS], name, REMEMBERED_US))

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.close()


def _arguments(request: AdmissionRequest) -> tuple[object, ...]:
    return request.spans_us, request.quotas, request.rows, list(request.keys)
