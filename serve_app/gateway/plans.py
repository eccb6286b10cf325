"""Plans, as the owners of keys manage them: a key of the home tenant manages the house's.

Every tenant may read the house's plans, as they decide for it, but not who stored them and why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from deciding.plans.activations import Activation, Expected, activate
from deciding.plans.check import Models
from deciding.plans.submitted import read_submitted, require_models
from deciding.plans.versions import (
    PlanId,
    StoredPlan,
    list_versions,
    only_writer,
    read_active,
    read_version,
    store,
)
from fraud.errors import InvalidInput, NotFound, Unavailable
from fraud.plan import Plan
from fraud.variant import HOUSE
from serve_app.gateway.errors import unwrapped
from serve_app.gateway.pool import Pool
from serve_app.gateway.queries import store_errors

POOLS_S = 2.0
"""Longest wait for the cluster to say which pools run."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Activated:
    """The answer to an activation.

    Attributes:
        activation: what changed; None: the plan decided already.
        missing: variants of the plan that have no pool: their votes will be missing. Empty while
            the cluster does not answer.
    """

    activation: Activation | None
    missing: tuple[str, ...]


class Plans:
    """Reads and writes plans.

    Args:
        pool: connections to the primary: a plan is read as soon as it is written.
        owner_of: tenant -> the owner of its plans.
        models: what plans may name.
        schema_id: of the served features.
        pools: returns the pools of variants that run.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        owner_of: Callable[[str], str],
        models: Models,
        schema_id: str,
        pools: Callable[[], Awaitable[list[Pool]]],
    ) -> None:
        self._pool = pool
        self._owner_of = owner_of
        self._models = models
        self._schema_id = schema_id
        self._pools = pools

    async def deciding(self, tenant: str) -> StoredPlan | None:
        """Return the plan that decides for a tenant: its own, else the house's; None if there is
        neither.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            Unavailable: its document cannot be read. Combiners decide by the last one then.
        """
        found = None
        async with store_errors():
            for owner in self._owners(tenant):
                found = found or await read_active(self._pool, owner)
        try:
            if found is not None:
                found.plan()
        except InvalidInput as error:
            raise Unavailable("the document of the active plan cannot be read") from error
        return found

    async def versions(self, tenant: str, name: str | None, limit: int) -> list[StoredPlan]:
        """Return a tenant's plans and the house's without documents, see `list_versions`."""
        async with store_errors():
            found = await list_versions(self._pool, self._owners(tenant), name, limit)
        return [self._as_seen_by(tenant, stored) for stored in found]

    async def read(self, tenant: str, name: str, version: int, of_house: bool) -> StoredPlan:
        """Return a version: the tenant's own or, if it has none or with `of_house`, the house's.

        Raises:
            NotFound: there is none.
            StoreUnavailable: PostgreSQL does not answer.
        """
        async with store_errors():
            for owner in (HOUSE,) if of_house else self._owners(tenant):
                try:
                    found = await read_version(self._pool, owner, name, version)
                except NotFound:
                    continue
                return self._as_seen_by(tenant, found)
        raise NotFound(f"there is no plan {PlanId(name, version)}")

    async def checked(self, tenant: str, document: Any) -> Plan:
        """Return the plan in a document that the tenant may store.

        Raises:
            InvalidInput: the document is wrong; its errors name the places.
            ArtifactsUnavailable: the artifacts do not answer.
        """
        return await asyncio.to_thread(
            read_submitted, document, self._owner_of(tenant), self._models, self._schema_id
        )

    async def store(
        self, tenant: str, document: Any, author: str, reason: str
    ) -> tuple[StoredPlan, tuple[str, ...]]:
        """Store a plan as the next version of its name. It does not decide yet.

        Returns:
            What was stored, and its variants without a pool.

        Raises:
            InvalidInput: the document is wrong; its errors name the places.
            StoreUnavailable, ArtifactsUnavailable: PostgreSQL or the artifacts do not answer.
        """
        owner = self._owner_of(tenant)
        plan = await self.checked(tenant, document)
        async with store_errors(), self._pool.acquire() as session, only_writer(session):
            made = await store(session, owner, plan, author=author, reason=reason)
            stored = await read_version(session, owner, made.name, made.version)
        return stored, await self._missing(made)

    async def activate(
        self,
        tenant: str,
        plan: PlanId,
        author: str,
        reason: str,
        expected: Expected = ...,
    ) -> Activated:
        """Make one of the tenant's plans the one that decides for it.

        Args:
            expected: what the caller believes active; ...: what is active when the call begins, so
                that of two calls at the same time one fails.

        Raises:
            NotFound: the tenant has no such plan.
            Conflict: another plan than the expected one is active by now.
            InvalidInput: the plan cannot decide any more, as a model that it names is gone.
            StoreUnavailable, ArtifactsUnavailable: PostgreSQL or the artifacts do not answer.
        """
        owner = self._owner_of(tenant)
        async with store_errors():
            if expected is ...:
                active = await read_active(self._pool, owner)
                expected = None if active is None else active.id
            found = await read_version(self._pool, owner, *plan)
        usable = found.plan()
        await asyncio.to_thread(
            require_models, found.document, owner, self._models, self._schema_id
        )
        async with store_errors(), self._pool.acquire() as session:
            done = await activate(
                session, owner, plan, author=author, reason=reason, expected=expected
            )
        return Activated(done, await self._missing(usable))

    async def _missing(self, plan: Plan) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(POOLS_S):
                running = {pool.variant for pool in await self._pools()}
        except Exception as error:  # of Ray's: the change is made, whatever the cluster says
            logger.warning("pools are unknown: %s", type(unwrapped(error)).__name__)
            return ()
        return tuple(name for name in plan.variants if name not in running)

    def _as_seen_by(self, tenant: str, stored: StoredPlan) -> StoredPlan:
        """A plan without its author and reason, unless it is the tenant's own to manage."""
        is_own = stored.owner == self._owner_of(tenant)
        return stored if is_own else replace(stored, author="", reason="")

    def _owners(self, tenant: str) -> tuple[str, ...]:
        owner = self._owner_of(tenant)
        return (HOUSE,) if owner == HOUSE else (owner, HOUSE)
