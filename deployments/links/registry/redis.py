"""The registry in Redis: one hash, whose fields are the replicas."""

from __future__ import annotations

from deployments.links.registry.interface import FRESH_S, SWEPT_S, Entry
from stores.redis.connection import RedisConnection
from stores.redis.script import Script
from stores.statements import statement

_KEPT_S = 120
"""How long the hash of a cluster outlives its last replica."""


class RedisRegistry:
    """See `Registry`. `q:links:<cluster>` holds name -> `address port node time`, the time being
    seconds on the clock of Redis: those of the machines may differ.

    Args:
        redis: the connection; closed by `close`.
        cluster: the cluster of Ray that the replicas belong to. While one replaces another, both
            may use the same Redis.
    """

    def __init__(self, redis: RedisConnection, cluster: str) -> None:
        self._redis = redis
        self._key = f"q:links:{cluster}"
        self._announce = Script(statement("deployments/links/registry/lua/announce.lua"))
        self._sweep = Script(statement("deployments/links/registry/lua/sweep.lua"))

    async def announce(self, entry: Entry) -> None:
        """See `Registry`."""
        value = f"{entry.address} {entry.port} {entry.node}"
        await self._announce.run(self._redis, [self._key], entry.name, value, _KEPT_S)

    async def withdraw(self, name: str) -> None:
        """See `Registry`."""
        await self._redis.call("HDEL", self._key, name)

    async def entries(self) -> list[Entry]:
        """See `Registry`. Entries that cannot be read are left out, and swept."""
        now, pairs = await self._redis.calls([("TIME",), ("HGETALL", self._key)])
        now_s, fresh, old = int(now[0]), [], []
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            entry, age_s = _read(name, value, now_s)
            if entry is not None and age_s < FRESH_S:
                fresh.append(entry)
            elif entry is None or age_s >= SWEPT_S:
                old += [name, value]
        if old:
            await self._sweep.run(self._redis, [self._key], *old)
        return sorted(fresh, key=lambda entry: entry.name)

    async def close(self) -> None:
        """See `Registry`."""
        await self._redis.close()


def _read(name: bytes, value: bytes, now_s: int) -> tuple[Entry | None, int]:
    """Return an entry and its age in seconds; None for what is no entry."""
    try:
        address, port, node, at_s = value.decode().split(" ")
        return Entry(name.decode(), address, int(port), node), now_s - int(at_s)
    except ValueError:
        return None, 0
