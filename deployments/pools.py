"""The variants' pools, found by name in the cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ray import serve
from ray.serve.exceptions import RayServeException

from deployments.links.linked import Linked
from deployments.links.switchboard import Switchboard, pool_name
from deployments.remote import Remote
from fraud.explanation import Explanation
from fraud.payment.batch import Float32
from fraud.score import VariantScores
from stores.poll import Poll

logger = logging.getLogger(__name__)

LOOKUP_S = 2.0
_WARM_UP_S = 5.0


def app_name(variant: str) -> str:
    """Name of the Serve application that is a variant's pool."""
    return f"variant-{variant}"


def find_app(variant: str) -> Any | None:
    """A handle on a variant's pool; None if there is none. Blocks on Serve's controller."""
    try:
        return serve.get_app_handle(app_name(variant))
    except RayServeException:
        return None


class _Pool:
    """Ways to ask one pool."""

    def __init__(self, handle: Any, switchboard: Switchboard) -> None:
        self.name = pool_name(handle.app_name, handle.deployment_name)
        self.score: Callable[[Float32, str], Awaitable[VariantScores]]
        self.explain: Callable[[Float32, str], Awaitable[Explanation]]
        self.score = Linked.on(switchboard, handle, "score")
        self.explain = Linked.on(switchboard, handle, "explain")
        self.describe = Remote(handle, "describe")


class VariantPools:
    """Finds the pools that plans name, and keeps handles on them.

    Looking up asks Serve's controller, so it is done beside the hot path: a pool that appears is
    used within one `interval_s`, one that is deleted is forgotten as fast.

    Args:
        wanted: names of the variants to look for now.
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
        self._interval_s = interval_s
        self._pools: dict[str, _Pool] = {}
        self._poll = Poll("variant-pools", self.refresh, interval_s)

    def scorer(self, variant: str) -> Callable[[Float32, str], Awaitable[VariantScores]] | None:
        """How to ask a variant; None if there is no such pool."""
        pool = self._pools.get(variant)
        return None if pool is None else pool.score

    def explainer(self, variant: str) -> Callable[[Float32, str], Awaitable[Explanation]] | None:
        """How to ask a variant for contributions; None if there is no such pool."""
        pool = self._pools.get(variant)
        return None if pool is None else pool.explain

    @property
    def missing(self) -> tuple[str, ...]:
        """Wanted variants that have no pool, sorted."""
        return tuple(sorted(set(self._wanted()) - self._pools.keys()))

    @property
    def alive(self) -> bool:
        """Whether it goes on looking."""
        return self._poll.alive

    async def start(self) -> None:
        """Look once, then go on looking."""
        await self.refresh()
        self._poll.start(self._interval_s)

    async def refresh(self) -> None:
        """Look for every wanted pool once; never raises."""
        await asyncio.gather(*(self._look(variant) for variant in set(self._wanted())))

    async def close(self) -> None:
        """Stop looking."""
        await self._poll.close()

    async def _look(self, variant: str) -> None:
        pool = self._pools.get(variant)
        if pool is not None and self._switchboard.best(pool.name) is not None:
            return  # its replicas are connected: the controller need not be asked
        try:
            handle = await asyncio.to_thread(self._find, variant)
            if handle is None:
                if self._pools.pop(variant, None) is not None:
                    logger.warning("the pool of variant %s is gone", variant)
            elif variant not in self._pools:
                pool = _Pool(handle, self._switchboard)
                await self._switchboard.want(pool.name)
                # The first call makes connections: this one pays for it, not a payment.
                await asyncio.wait_for(pool.describe(), _WARM_UP_S)
                self._pools[variant] = pool
        except Exception as error:  # the controller, the pool: it is tried again soon
            logger.warning("looking for variant %s: %s", variant, type(error).__name__)
