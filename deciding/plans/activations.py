"""Activations: which plan decides for an owner since when, who activated it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType

import asyncpg

from deciding.plans.versions import PlanId, Source, only_writer, read_active, read_version
from fraud.errors import Conflict, NotFound
from fraud.variant import HOUSE
from stores.statements import statement


@dataclass(frozen=True, slots=True)
class Activation:
    """A change of the plan that decides.

    Attributes:
        owner: its plans change; `HOUSE` for the house.
        plan: what decides since; None: nothing of its own, so the house's plan.
        previous: what decided before; None: nothing of its own.
        activated_at: when.
        author, reason: who changed it, and why; "" if unknown.
        automatic: a guard rail or a ramp did it, not a person.
    """

    owner: str
    plan: PlanId | None
    previous: PlanId | None
    activated_at: datetime
    author: str
    reason: str = ""
    automatic: bool = False


Expected = PlanId | tuple[str, int] | None | EllipsisType
"""The plan that a caller believes active: None for none, ... for whichever it is."""


async def activate(
    session: asyncpg.Connection,
    owner: str,
    plan: PlanId,
    *,
    author: str,
    reason: str = "",
    automatic: bool = False,
    expected: Expected = ...,
) -> Activation | None:
    """Make a stored plan the one that decides for its owner.

    Args:
        session: a connection; a transaction is opened, or used if one is open.
        expected: the plan that decides now. If another one does by then, nothing changes, so that
            of two callers who saw the same plan one wins.

    Returns:
        The activation, None if the plan decides already.

    Raises:
        NotFound: the owner has no such plan.
        Conflict: another plan than `expected` decides.
    """
    async with only_writer(session):
        await read_version(session, owner, *plan)
        before = await _active_id(session, owner)
        if before == plan:
            return None
        _require(before, expected)
        await session.fetchrow(_sql("deactivate_plan"), owner)
        await session.fetchval(_sql("activate_plan"), owner, *plan)
        return await _record(session, owner, plan, before, author, reason, automatic)


async def withdraw(
    session: asyncpg.Connection,
    owner: str,
    *,
    author: str,
    reason: str = "",
    automatic: bool = False,
    expected: Expected = ...,
) -> Activation | None:
    """Leave a tenant without a plan of its own, so that the house's decides for it.

    Args:
        session, expected: see `activate`.

    Returns:
        The activation, None if the tenant has no active plan.

    Raises:
        Conflict: another plan than `expected` decides, or it is the house's, which must have one.
    """
    if owner == HOUSE:
        raise Conflict("the house always has a plan: activate another one")
    async with only_writer(session):
        before = await _active_id(session, owner)
        if before is None:
            return None
        _require(before, expected)
        await session.fetchrow(_sql("deactivate_plan"), owner)
        return await _record(session, owner, None, before, author, reason, automatic)


async def roll_back(
    session: asyncpg.Connection, owner: str, *, author: str, reason: str = ""
) -> Activation:
    """Make the plan that decided before the present one decide again. A second call undoes it.

    Raises:
        NotFound: nothing decided before, or its plan is gone.
        Conflict: it is changed in the same moment.
    """
    async with only_writer(session):
        last = await history(session, owner, 1)
        now = await _active_id(session, owner)
        if not last or now != last[0].plan:
            raise NotFound("no activation is on record that could be undone")
        to = last[0].previous
        if to is None:
            if owner == HOUSE:
                raise NotFound(f"nothing decided before {now}")
            done = await withdraw(session, owner, author=author, reason=reason, expected=now)
        else:
            done = await activate(session, owner, to, author=author, reason=reason, expected=now)
    assert done is not None  # `previous` is never the plan that decides
    return done


async def history(source: Source, owner: str, limit: int = 100) -> list[Activation]:
    """Return the last activations of an owner, newest first."""
    rows = await source.fetch(_sql("list_activations"), owner, limit)
    return [
        Activation(
            row["owner"],
            _id(row["name"], row["version"]),
            _id(row["previous_name"], row["previous_version"]),
            row["activated_at"],
            row["author"],
            row["reason"],
            row["automatic"],
        )
        for row in rows
    ]


async def _active_id(source: Source, owner: str) -> PlanId | None:
    found = await read_active(source, owner)
    return None if found is None else found.id


def _require(before: PlanId | None, expected: Expected) -> None:
    if expected is ... or before == expected:
        return
    now = "no plan" if before is None else f"plan {before}"
    raise Conflict(f"{now} is active by now: read it, and activate again if you still want to")


async def _record(
    session: asyncpg.Connection,
    owner: str,
    plan: PlanId | None,
    before: PlanId | None,
    author: str,
    reason: str,
    automatic: bool,
) -> Activation:
    none = (None, None)
    row = (owner, *(plan or none), author, reason, automatic, *(before or none))
    at = await session.fetchval(_sql("insert_activation"), *row)
    return Activation(owner, plan, before, at, author, reason, automatic)


def _id(name: str | None, version: int | None) -> PlanId | None:
    return None if name is None or version is None else PlanId(name, version)


def _sql(name: str) -> str:
    return statement(f"deciding/plans/sql/{name}.sql")
