"""`quorum plan simulate`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import TenantOption
from cluster.commands.plan.desk import SourceArgument, desk, read_file
from cluster.terminal.console import JsonFlag, emit

if TYPE_CHECKING:
    from cluster.commands.plan.desk import Desk
    from fraud.plan import Plan


class Asks(StrEnum):
    """Which votes a simulation asks for; see `deciding.simulation.votes.ASKS`."""

    NONE = "none"
    ABSENT = "absent"
    LATE = "late"


def simulate(
    plan: SourceArgument,
    last: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many decisions, newest first.")
    ] = 10_000,
    ask: Annotated[
        Asks,
        typer.Option(
            help="Models to ask: for votes that are not on record (absent), for late and failed"
            " ones, too (late), or for none."
        ),
    ] = Asks.ABSENT,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what recorded decisions would have been under a plan. Nothing is stored or activated.

    Votes come from the records. Models are loaded into this process for votes that the records
    do not have; running pools are not asked.
    """
    from cluster.terminal.tables.simulation import simulation_tables

    emit(asyncio.run(_simulate(plan, last, ask, tenant)), as_json, simulation_tables)


async def _simulate(source: str, last: int, ask: Asks, tenant: str | None) -> dict[str, Any]:
    from cluster.home.connection import database_url
    from deciding.simulation.models import ArtifactModels
    from deciding.simulation.run import simulate as run
    from models.store.location import store_of

    async with desk(tenant) as opened:
        plan = await _plan(opened, source)
    settings = opened.settings
    replica = settings.database_replica_url
    url = database_url(settings) if replica is None else replica.get_secret_value()
    models = ArtifactModels(store_of(settings))
    result = await run(url, settings.tenant, plan, last, models, asks=ask.value)
    return result.to_document()


async def _plan(opened: Desk, source: str) -> Plan:
    """Return the plan in a file, which must be one that could be stored, or in the table."""
    path = Path(source)
    if await asyncio.to_thread(path.is_file):
        hint = "nothing was simulated"
        return await asyncio.to_thread(lambda: opened.checked(read_file(path), source, hint))
    return (await opened.find(source)).plan()
