"""Rate limits that all ingresses share: counters in Redis, one script call a micro-batch."""

from __future__ import annotations

from typing import Any

import msgspec

from serve_app.gateway.ratelimit.ask import BUCKETS, Ask, Verdict
from stores.redis.link import Link
from stores.redis.script import Script
from stores.statements import statement

REMEMBERED_US = 5_000_000
"""How long a limiter that no longer registers counts as one that shares the limits."""

_FRONTS = "q:r:fronts"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode


class RedisLimiter:
    """See `Limiter`. Keys: `q:r:key:<window>:<id>` and `q:r:customer:<window>:<tenant>:<id>` hold
    counters and expire with their last row; `q:r:fronts` holds who asks.

    Args:
        link: to Redis; closed by `close`.
        clock: Lua that defines NOW, microseconds; default: Redis' own clock.
    """

    def __init__(self, link: Link, clock: str | None = None) -> None:
        self._link = link
        clock = statement("serve_app/gateway/ratelimit/clock.lua") if clock is None else clock
        self._admit = Script(
            clock, f"local BUCKETS = {BUCKETS}", statement("serve_app/gateway/ratelimit/admit.lua")
        )
        self._register = Script(clock, statement("serve_app/gateway/ratelimit/register.lua"))

    async def admit(self, ask: Ask) -> Verdict:
        """See `Limiter`."""
        reply: Any = await self._admit.run(self._link, ask.counters, _encode(_arguments(ask)))
        return ask.verdict(*_decode(reply))

    async def register(self, who: str) -> int:
        """Say that `who` is here. How many are, itself included.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        return int(await self._register.run(self._link, [_FRONTS], who, REMEMBERED_US))

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


def _arguments(ask: Ask) -> tuple[object, ...]:
    return ask.spans_us, ask.quotas, ask.rows, list(ask.keys)
