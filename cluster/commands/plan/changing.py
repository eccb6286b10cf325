"""`quorum plan apply`, `activate` and `rollback`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import TenantOption
from cluster.commands.plan.desk import (
    NOTHING_STORED,
    Desk,
    PlanArgument,
    ReasonOption,
    VersionArgument,
    author,
    desk,
    plan_id,
    read_file,
    told,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit

if TYPE_CHECKING:
    from cluster.plans.reading import PlanText
    from deciding.plans.activations import Activation, Expected
    from deciding.plans.versions import PlanId

_EXPECTED_HELP = "Activate only if this plan, NAME@VERSION, is active now."


def apply(
    file: Annotated[Path, typer.Argument(help="The plan as YAML or JSON.")],
    activate: Annotated[
        bool, typer.Option("--activate", help="Activate it, too, unless it has faults.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Look for faults, and store nothing.")
    ] = False,
    reason: ReasonOption = "",
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Store a plan from a file as the next version of its name."""
    if activate and check:
        raise CommandFailed("--activate and --check exclude each other", "choose one", exit_code=2)
    written = read_file(file)
    done = asyncio.run(_apply(written, str(file), tenant, reason, activate, check))
    emit(done, as_json, _applied)


def activate(
    name: PlanArgument,
    version: VersionArgument = None,
    expected: Annotated[str | None, typer.Option(help=_EXPECTED_HELP)] = None,
    reason: ReasonOption = "",
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a stored plan the one that decides, within two seconds and without a restart."""
    believed = ... if expected is None else plan_id(expected)
    emit(asyncio.run(_activate(name, version, believed, reason, tenant)), as_json, _activated)


def rollback(
    reason: ReasonOption = "", tenant: TenantOption = None, as_json: JsonFlag = False
) -> None:
    """Make the plan that decided before decide again; a second rollback undoes the first.

    If a tenant had none of its own before, the house's plan decides for it again.
    """
    emit(asyncio.run(_roll_back(reason, tenant)), as_json, _activated)


async def _apply(
    written: PlanText,
    what: str,
    tenant: str | None,
    reason: str,
    activates: bool,
    only_check: bool,
) -> dict[str, Any]:
    from deciding.plans.versions import PlanId, only_writer, store

    async with desk(tenant) as opened:
        expected = await opened.active()
        plan = opened.checked(written, what, NOTHING_STORED)
        done: dict[str, Any] = {"owner": opened.owner or None, "name": plan.name, "stored": None}
        if only_check:
            return done
        missing = await opened.missing(plan)
        async with only_writer(opened.session):
            stored = await store(opened.session, opened.owner, plan, author=author(), reason=reason)
            done["stored"] = PlanId(stored.name, stored.version)._asdict()
            if activates:
                to = PlanId(stored.name, stored.version)
                done["activation"] = await _change(opened, to, reason, expected)
        done["missing"] = missing
        return done


async def _activate(
    name: str, version: int | None, expected: Expected, reason: str, tenant: str | None
) -> dict[str, Any]:
    from cluster.plans.reading import PlanText
    from deciding.plans.submitted import require_models
    from features.definitions import SCHEMA_ID
    from fraud.errors import InvalidInput

    async with desk(tenant) as opened:
        expected = await opened.active() if expected is ... else expected
        found = await opened.own(name, version)
        try:
            plan = found.plan()
            require_models(found.document, opened.owner, opened.models(), SCHEMA_ID)
        except InvalidInput as error:
            written = PlanText(found.document)
            raise told(written, f"plan {found.id}", error, "nothing was activated") from None
        done = await _change(opened, found.id, reason, expected)
        return {**done, "missing": await opened.missing(plan)}


async def _change(opened: Desk, plan: PlanId, reason: str, expected: Expected) -> dict[str, Any]:
    from deciding.plans.activations import activate as activate_plan
    from fraud.errors import Conflict

    try:
        done = await activate_plan(
            *(opened.session, opened.owner, plan), author=author(), reason=reason, expected=expected
        )
    except Conflict as error:
        raise CommandFailed(error.detail, "`quorum plan show` shows it") from None
    return _outcome(opened, plan, done)


async def _roll_back(reason: str, tenant: str | None) -> dict[str, Any]:
    from deciding.plans.activations import roll_back
    from fraud.errors import Conflict, InvalidInput, NotFound

    async with desk(tenant) as opened:
        try:
            done = await roll_back(opened.session, opened.owner, author=author(), reason=reason)
        except (Conflict, NotFound) as error:
            hint = "`quorum plan list --history` shows what decided when"
            raise CommandFailed(str(error.args[0]), hint) from None
        missing = []
        if done.plan is not None:
            with suppress(InvalidInput):  # it decided before: the combiners say what is wrong
                plan = (await opened.find(*done.plan)).plan()
                missing = await opened.missing(plan)
        return {**_outcome(opened, done.plan, done), "missing": missing}


def _outcome(opened: Desk, plan: PlanId | None, done: Activation | None) -> dict[str, Any]:
    previous = None if done is None else done.previous
    return {
        "owner": opened.owner or None,
        "plan": plan and plan._asdict(),
        "previous": previous and previous._asdict(),
        "changed": done is not None,
    }


def _applied(done: dict[str, Any]) -> str:
    if done["stored"] is None:
        return f"plan {done['name']} has no fault"
    stored = f"stored plan {_named(done['stored'])}"
    if "activation" in done:
        return f"{stored}; {_change_text(done['activation'])}{_warning(done)}"
    version = done["stored"]["version"]
    then = f"`quorum plan activate {done['name']} {version}` lets it decide"
    return f"{stored}; {then}{_warning(done, decides=False)}"


def _activated(done: dict[str, Any]) -> str:
    return f"{_change_text(done)}{_warning(done)}"


def _change_text(done: dict[str, Any]) -> str:
    if not done["changed"]:
        return f"plan {_named(done['plan'])} decides already"
    if done["plan"] is None:
        return f"the house's plan decides for tenant {done['owner']} again"
    whom = f" for tenant {done['owner']}" if done["owner"] else ""
    before = f", instead of {_named(done['previous'])}" if done["previous"] else ""
    return f"plan {_named(done['plan'])} decides{whom} within two seconds{before}"


def _warning(done: dict[str, Any], decides: bool = True) -> str:
    """A line about variants without a pool: decisions lack their votes."""
    missing = done["missing"]
    if not missing:
        return ""
    # A deployment finds the variants of active plans; others must be declared.
    add = "" if decides else "".join(f" --add {name}" for name in missing)
    return f"\nno pool runs for {', '.join(missing)}: `quorum deploy{add}` deploys what is missing"


def _named(plan: dict[str, Any]) -> str:
    return f"{plan['name']} v{plan['version']}"
