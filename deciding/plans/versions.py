"""Versions of plans in the table `plans`: stored once, never changed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from fraud.errors import InvalidInput, NotFound
from fraud.plan import Plan, continued
from stores.statements import statement

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Names of plans fit into addresses and file names."""
NAME: Final = re.compile(NAME_PATTERN)
MAX_VERSION: Final = 2**31 - 1
MAX_REASON_CHARS: Final = 500
"""Longest reason that is kept with a version or an activation."""


class Source(Protocol):
    """A connection to PostgreSQL, or a pool of them."""

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None:
        """Return the first row of a query."""
        ...

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""
        ...


class PlanId(NamedTuple):
    """Name and version of a plan of one owner."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A version of a plan as the table holds it.

    Attributes:
        owner: the tenant that it belongs to, `fraud.variant.HOUSE` for the house.
        name, version: which one.
        kind: of its policy, as its document says; None if it says nothing.
        active: it decides for its owner now.
        author, reason: who stored it, and why; "" if unknown.
        created_at: when it was stored.
        document: as JSON gives it; None where it was not read.
    """

    owner: str
    name: str
    version: int
    kind: str | None
    active: bool
    author: str
    reason: str
    created_at: datetime
    document: Any = None

    @property
    def id(self) -> PlanId:
        """Its name and version."""
        return PlanId(self.name, self.version)

    def plan(self) -> Plan:
        """Return the plan in the document.

        Raises:
            InvalidInput: the document is not a plan's.
        """
        return read_document(self.document)


def read_document(document: Any) -> Plan:
    """Return the plan in a document.

    Raises:
        InvalidInput: it is not the document of a plan.
    """
    try:
        return Plan.from_document(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # A defect of ours: it must not stop the plans of others, which are read in the same breath.
        raise InvalidInput(f"the document is not a plan: {type(error).__name__}") from error


async def store(
    session: asyncpg.Connection,
    owner: str,
    plan: Plan,
    *,
    author: str,
    reason: str = "",
    before: Plan | None = None,
) -> Plan:
    """Store a plan as the next version of its name; it does not decide yet. Whatever version it has
    is replaced. Customers stay on the arms that the version before gave them, as far as weights
    allow.

    Args:
        session: a connection in `only_writer`.
        before: the version before; None: the active one, or the newest if another plan is active.

    Returns:
        The plan with its version.
    """
    newest = await session.fetchrow(_sql("newest_plan"), owner, plan.name)
    version = 1 if newest is None else newest["version"] + 1
    if before is None:
        before = await _version_before(session, owner, newest)
    carried = plan if before is None else continued(plan, before)
    stored = replace(carried, version=version)
    row = (owner, plan.name, version, stored.to_json(), author, reason)
    await session.execute(_sql("insert_plan"), *row)
    return stored


async def read_version(source: Source, owner: str, name: str, version: int) -> StoredPlan:
    """Return a version of a plan.

    Raises:
        NotFound: the owner has no such plan.
    """
    row = await source.fetchrow(_sql("read_plan"), owner, name, version)
    if row is None:
        raise NotFound(f"there is no plan {PlanId(name, version)}")
    return _stored(row)


async def read_newest(source: Source, owner: str, name: str) -> StoredPlan:
    """Return the newest version of a plan.

    Raises:
        NotFound: the owner has no plan of this name.
    """
    row = await source.fetchrow(_sql("newest_plan"), owner, name)
    if row is None:
        raise NotFound(f"there is no plan {name}")
    return _stored(row)


async def read_active(source: Source, owner: str) -> StoredPlan | None:
    """Return the plan that decides for an owner, None if it has none of its own."""
    row = await source.fetchrow(_sql("active_plan"), owner)
    return None if row is None else _stored(row)


async def read_all_active(source: Source) -> dict[str, StoredPlan]:
    """Return owner -> the plan that decides for it, of all owners that have one."""
    rows = await source.fetch(_sql("all_active_plans"))
    return {row["owner"]: _stored(row) for row in rows}


async def list_versions(
    source: Source, owners: Sequence[str], name: str | None = None, limit: int = 100
) -> list[StoredPlan]:
    """Return plans of some owners without their documents: those that decide, then the newest.

    Args:
        name: of this name alone; None: of every name.
        limit: most that are returned, >= 1.
    """
    rows = await source.fetch(_sql("list_plans"), list(owners), name, limit)
    return [_stored(row) for row in rows]


@asynccontextmanager
async def only_writer(session: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction that alone stores or activates plans."""
    async with session.transaction():
        await session.execute(_sql("lock_plans"))
        yield


async def _version_before(
    session: asyncpg.Connection, owner: str, newest: asyncpg.Record | None
) -> Plan | None:
    """Return the plan whose arms customers are on; None if there is none that can be read.

    A draft that was never active gave customers no arm, so it does not count.
    """
    if newest is None:
        return None
    active = await read_active(session, owner)
    with suppress(InvalidInput):
        if active is not None and active.name == newest["name"]:
            return active.plan()
        return _stored(newest).plan()
    return None


def _stored(row: asyncpg.Record) -> StoredPlan:
    fields = dict(row)
    if fields["document"] is not None:
        fields["document"] = json.loads(fields["document"])
    return StoredPlan(**fields)


def _sql(name: str) -> str:
    return statement(f"deciding/plans/sql/{name}.sql")
