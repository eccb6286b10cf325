"""`quorum drift`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.tables.drift import drift_tables

if TYPE_CHECKING:
    from training.monitor.drift import DriftReport


def drift(
    days: Annotated[
        float,
        typer.Option(min=0.001, max=3650, help="Age of the oldest decisions to compare, in days."),
    ] = 7.0,
    tenant: TenantOption = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the report into this .svg or .png file.")
    ] = None,
    fail_above: Annotated[
        float | None,
        typer.Option(min=0, help="Exit code 1 if any PSI is above this. Made for schedules."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare the features and scores of recent decisions with those of the training.

    The training is that of the plan that decides for the tenant: its own, or the house's.

    Prints the population stability index (PSI) of each feature and score (below 0.1 is
    steady, above 0.25 is large), and how well the probabilities fit the labels so far.
    """
    from fraud.errors import NotFound
    from training.monitor.drift import NothingDecided

    if picture is not None and picture.suffix not in (".svg", ".png"):
        raise CommandFailed(
            f"--picture {picture} is neither .svg nor .png", "use one of these endings", exit_code=2
        )
    try:
        report = asyncio.run(_measure(tenant, days))
    except NothingDecided as error:
        hint = "--days looks further back, --tenant names another tenant"
        raise CommandFailed(error.args[0], hint) from None
    except NotFound as error:
        raise CommandFailed(error.args[0], "`quorum train` creates models and a plan") from None
    if picture is not None:
        _draw(report, picture)
    emit(report.to_document(), as_json, drift_tables)
    if fail_above is not None and report.largest_psi > fail_above:
        what = f"a PSI of {report.largest_psi:.3f} is above {fail_above:g}"
        raise CommandFailed(what, "see what changed; `quorum retrain` trains on recent payments")


async def _measure(tenant: str | None, days: float) -> DriftReport:
    from cluster.home.connection import database_url
    from deciding.plans.table import active_plan
    from fraud.errors import NotFound
    from models.store.location import store_of
    from models.store.origin import origin_of
    from training.monitor.drift import measure

    settings = load_settings(tenant)
    replica = settings.database_replica_url
    url = database_url(settings) if replica is None else replica.get_secret_value()
    plan = await active_plan(url, settings.owner)
    if plan is None and settings.owner:
        plan = await active_plan(url)
    if plan is None:
        raise NotFound("no plan is active")
    origin = origin_of(plan, store_of(settings))
    now = datetime.now(UTC)
    return await measure(url, settings.tenant, plan, origin, now=now, days=days)


def _draw(report: DriftReport, path: Path) -> None:
    from training.monitor.drift_picture import draw

    try:
        draw(report, path)
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror}", "choose a file in an existing folder"
        ) from None
