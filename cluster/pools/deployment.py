"""What `quorum deploy` and `quorum up` deploy: the Serve configuration and every pool that must
run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from cluster.home.connection import database
from cluster.node.dashboard import Dashboard
from cluster.pools.declared import DeclaredPools
from cluster.pools.serve_pools import Config, pools_of, with_pools
from cluster.pools.wanted import WantedPool, wanted_pools
from cluster.terminal.failures import explain
from deployments.app_names import app_name, variant_of
from fraud.errors import InvalidInput

if TYPE_CHECKING:
    from deciding.plans.versions import StoredPlan
    from fraud.plan import Plan
    from settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Deployment:
    """A whole Serve configuration and the pools in it.

    Attributes:
        config: as `serve deploy` takes it.
        pools: every pool that must run.
        running: variants whose pools Serve had before.
        trouble: why an active plan cannot be read, "" if all can.
    """

    config: Config
    pools: tuple[WantedPool, ...]
    running: frozenset[str]
    trouble: str = ""

    @property
    def added(self) -> tuple[WantedPool, ...]:
        """The pools that Serve did not have."""
        return tuple(pool for pool in self.pools if pool.name not in self.running)

    @property
    def removed(self) -> tuple[str, ...]:
        """Variants whose pools Serve will delete."""
        return tuple(sorted(self.running.difference(pool.name for pool in self.pools)))

    def document(self) -> dict[str, Any]:
        """Return a JSON-ready summary."""
        added = {pool.name for pool in self.added}
        return {
            "pools": [
                {
                    "name": pool.name,
                    "application": app_name(pool.name),
                    "why": pool.why,
                    "added": pool.name in added,
                }
                for pool in self.pools
            ],
            "removed": list(self.removed),
            "plans_error": self.trouble or None,
        }


def whole_deployment(settings: Settings, config: Config, dashboard: Dashboard) -> Deployment:
    """Return what must run: the configuration's pools, the declared ones, and those that active
    plans name.

    While an active plan cannot be read, no pool that runs is removed: the plan may name it.

    Raises:
        InvalidInput: the file of declarations is faulty.
        CommandFailed: see `with_pools`.
    """
    plans, trouble = active_plans(settings)
    running = running_pools(dashboard)
    declared = DeclaredPools.of(settings.home).read()
    pools = wanted_pools(config, declared, plans, running if trouble else ())
    configured = set(pools_of(config))
    more = [pool.declaration for pool in pools if pool.name not in configured]
    return Deployment(with_pools(config, more), pools, running, trouble)


def active_plans(settings: Settings) -> tuple[dict[str, Plan], str]:
    """Return the active plan of each owner, and why any is missing: "" if none is."""
    try:
        active = asyncio.run(_active_plans(settings))
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        return {}, known.what
    plans: dict[str, Plan] = {}
    trouble = []
    for owner, stored in active.items():
        try:
            plans[owner] = stored.plan()
        except InvalidInput as error:  # the pools of other owners must not wait for its repair
            whose = f"tenant {owner}" if owner else "the house"
            trouble.append(f"plan {stored.id} of {whose}: {error.detail}")
    return plans, "; ".join(trouble)


def running_pools(dashboard: Dashboard) -> frozenset[str]:
    """Return the variants that Serve has pools of; none if Serve does not answer."""
    try:
        applications = dashboard.serve_details().get("applications", {})
    except (CommandFailed, OSError):
        return frozenset()
    return frozenset(v for name in applications if (v := variant_of(name)) is not None)


async def _active_plans(settings: Settings) -> dict[str, StoredPlan]:
    from deciding.plans.versions import read_all_active

    async with database(settings) as connection:
        return await read_all_active(connection)
