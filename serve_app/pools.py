"""The pools of the variants, as Ray Serve and their replicas describe them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ray import serve
from ray.serve.schema import ApplicationStatusOverview, ServeStatus

from deployments.app_names import variant_of
from deployments.remote_method import RemoteMethod
from deployments.variant_pools import find_app
from serve_app.gateway.pool import Pool

CACHED_S = 1.0
ANSWER_S = 1.0


class PoolBoard:
    """Describes the pool of every variant. Asks Serve's controller at most once in `CACHED_S`.

    Args:
        status: returns Serve's status; blocks.
        find: returns a handle of a variant's pool, None if there is none; blocks.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        status: Callable[[], ServeStatus] = serve.status,
        find: Callable[[str], Any | None] = find_app,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._status = status
        self._find = find
        self._clock = clock
        self._describe: dict[str, RemoteMethod] = {}
        self._lock = asyncio.Lock()
        self._pools: list[Pool] = []
        self._read_at = -CACHED_S

    async def pools(self) -> list[Pool]:
        """Return every pool, sorted by name."""
        async with self._lock:
            if self._clock() - self._read_at >= CACHED_S:
                self._pools = await self._read()
                self._read_at = self._clock()
            return self._pools

    async def _read(self) -> list[Pool]:
        applications = (await asyncio.to_thread(self._status)).applications
        found = {variant_of(name): overview for name, overview in applications.items()}
        pools = sorted((variant, found[variant]) for variant in found if variant is not None)
        return list(await asyncio.gather(*(self._pool(*pool) for pool in pools)))

    async def _pool(self, variant: str, overview: ApplicationStatusOverview) -> Pool:
        states: dict[str, int] = {}
        for deployment in overview.deployments.values():
            for state, count in deployment.replica_states.items():
                states[state] = states.get(state, 0) + count
        running = states.get("RUNNING", 0)
        return Pool(
            variant,
            overview.status.value,
            running,
            states.get("STARTING", 0) + states.get("UPDATING", 0),
            await self._version(variant) if running else None,
        )

    async def _version(self, variant: str) -> str | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                if variant not in self._describe:
                    handle = await asyncio.to_thread(self._find, variant)
                    if handle is None:
                        return None
                    self._describe[variant] = RemoteMethod(handle, "describe")
                version: str = (await self._describe[variant]()).version
                return version
        except Exception:  # whatever the reason, the version of this pool is unknown
            self._describe.pop(variant, None)
            return None
