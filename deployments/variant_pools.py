"""The pools of variants, found by name in the cluster."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException

from deployments.app_names import app_name
from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name
from deployments.links.switchboard import Switchboard
from deployments.remote_method import RemoteMethod
from fraud.explanation import Explanation
from fraud.payment.batch import Float32
from fraud.score import VariantScores
from stores.poll import Poll

logger = logging.getLogger(__name__)

LOOKUP_S = 2.0
PREPARE_S = 1.0
"""Longest time that a new plan waits for the pools that it names."""
_WARM_UP_S = 5.0


def find_app(variant: str) -> Any | None:
    """Return a handle on a variant's pool, None if there is none. Blocks on Serve's controller."""
    try:
        return serve.get_app_handle(app_name(variant))
    except RayServeException:
        return None


class _Pool:
    """The methods of one pool."""

    def __init__(self, handle: Any, switchboard: Switchboard) -> None:
        self.name = pool_name(handle.app_name, handle.deployment_name)
        self.score: Callable[[Float32, str], Awaitable[VariantScores]]
        self.explain: Callable[[Float32, str], Awaitable[Explanation]]
        self.score = LinkedMethod.on(switchboard, handle, "score")
        self.explain = LinkedMethod.on(switchboard, handle, "explain")
        self.describe = RemoteMethod(handle, "describe")


class VariantPools:
    """Finds the pools of a plan's variants and keeps handles on them.

    A lookup calls Serve's controller, so it is done off the hot path: a pool that appears is used
    within one `interval_s`, and one that is deleted is forgotten as fast.

    Args:
        wanted: returns the names of the variants to look for.
        switchboard: links to their replicas.
        find: blocking lookup of a pool, None if there is none.
        interval_s: time between lookups.
    """

    def __init__(
        self,
        wanted: Callable[[], Iterable[str]],
        switchboard: Switchboard,
        find: Callable[[str], Any | None] = find_app,
        interval_s: float = LOOKUP_S,
    ) -> None:
        self._wanted = wanted
        self._switchboard = switchboard
        self._find = find
        self._pools: dict[str, _Pool] = {}
        self._poll = Poll("variant-pools", self.refresh, interval_s)

    def scorer(self, variant: str) -> Callable[[Float32, str], Awaitable[VariantScores]] | None:
        """Return a function that scores with a variant, None if it has no pool."""
        pool = self._pools.get(variant)
        return None if pool is None else pool.score

    def explainer(self, variant: str) -> Callable[[Float32, str], Awaitable[Explanation]] | None:
        """Return a function that gets a variant's contributions, None if it has no pool."""
        pool = self._pools.get(variant)
        return None if pool is None else pool.explain

    @property
    def missing(self) -> tuple[str, ...]:
        """Wanted variants that have no pool, sorted."""
        return tuple(sorted(set(self._wanted()) - self._pools.keys()))

    @property
    def alive(self) -> bool:
        """Whether it still looks for pools."""
        return self._poll.alive

    async def start(self) -> None:
        """Look once, then go on looking."""
        await self.refresh()
        self._poll.start_later()

    async def refresh(self) -> None:
        """Look for every wanted pool once; never raises."""
        await asyncio.gather(*(self._look(variant) for variant in set(self._wanted())))

    async def prepare(self, variants: Iterable[str], timeout_s: float = PREPARE_S) -> None:
        """Find and warm up the pools of variants before a plan asks them, as far as that goes in
        time; never raises."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(self._look(variant) for variant in set(variants)))

    async def close(self) -> None:
        """Stop looking."""
        await self._poll.close()

    async def _look(self, variant: str) -> None:
        pool = self._pools.get(variant)
        if pool is not None and self._switchboard.best(pool.name) is not None:
            return  # its replicas are connected: spare the controller
        try:
            handle = await asyncio.to_thread(self._find, variant)
            if handle is None:
                if self._pools.pop(variant, None) is not None:
                    logger.warning("the pool of variant %s is gone", variant)
            elif variant not in self._pools:
                pool = _Pool(handle, self._switchboard)
                await self._switchboard.watch(pool.name)
                # The first call opens connections: no payment should wait for that.
                await asyncio.wait_for(pool.describe(), _WARM_UP_S)
                self._pools[variant] = pool
        except Exception as error:  # of the controller or the pool; the next lookup is soon
            logger.warning("looking for variant %s: %s", variant, type(error).__name__)
