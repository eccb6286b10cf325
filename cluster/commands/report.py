"""`quorum report`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, step
from cluster.terminal.tables.experiment import experiment_tables

if TYPE_CHECKING:
    from experiments.reading.reader import Wanted
    from experiments.report import Report
    from settings.settings import Settings

_MAX_ROWS = 1_000_000
_ANSWERS_S = 600.0


def report(
    plan: Annotated[str, typer.Argument(help="Name of a plan.")],
    tenant: TenantOption = None,
    version: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**31 - 1, help="One version of the plan.", show_default="all versions"
        ),
    ] = None,
    days: Annotated[
        float,
        typer.Option(min=0.001, max=3650, help="Age of the oldest decisions, in days."),
    ] = 90.0,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Count decisions from then on, UTC, in place of --days. Name the start of the"
            " experiment if you look at it again and again.",
        ),
    ] = None,
    waiting_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=3650,
            help="Age from which a payment counts.",
            show_default="the time within which nine of ten frauds were known",
        ),
    ] = None,
    unlabelled: Annotated[
        Literal["excluded", "genuine"],
        typer.Option(
            help="What older payments without a label count as; genuine if you report frauds only."
        ),
    ] = "excluded",
    html: Annotated[
        Path | None, typer.Option(help="Also write the report as a page into this file.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write the report as CSV into this file.")
    ] = None,
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Also log each arm, shadow and variant to MLflow.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare the arms, shadows and challengers of a plan, once labels are known.

    Recommends to promote each, to hold what there is, or to wait. It may be run every day: the
    intervals hold at every look that begins at the same time (--since).
    """
    from experiments.reading.reader import Wanted
    from fraud.errors import NotFound

    settings = load_settings(tenant)
    now = datetime.now(UTC)
    begin = now - timedelta(days=days) if since is None else since.replace(tzinfo=UTC)
    wanted = Wanted(settings.tenant, plan, begin, now, version)
    try:
        found = asyncio.run(_made(settings, wanted, waiting_days, unlabelled))
    except NotFound as error:
        hint = "--days or --since looks further back, --tenant names another tenant"
        raise CommandFailed(str(error), hint) from None
    if html is not None:
        _write(html, found.to_page())
    if csv is not None:
        _write(csv, found.to_csv())
    if mlflow:
        _log(settings, found)
    emit(found.to_document(), as_json, experiment_tables)


async def _made(
    settings: Settings,
    wanted: Wanted,
    waiting_days: float | None,
    unlabelled: Literal["excluded", "genuine"],
) -> Report:
    from cluster.home.connection import database_url
    from experiments.reading.reader import read
    from experiments.report import report as compared
    from stores.postgres.connect import connection

    replica = settings.database_replica_url
    url = database_url(settings) if replica is None else replica.get_secret_value()
    variable = "DATABASE_URL" if replica is None else "DATABASE_REPLICA_URL"
    async with (
        connection(
            url,
            variable=variable,
            timeout_s=settings.database_timeout_s,
            command_timeout_s=_ANSWERS_S,
            writes=False,
        ) as session,
        session.transaction(isolation="repeatable_read", readonly=True),
    ):
        found = await read(session, wanted, _MAX_ROWS)
    return compared(found, wanted, waiting_days=waiting_days, unlabelled=unlabelled)


def _log(settings: Settings, found: Report) -> None:
    from training.registry.experiment_runs import log_report
    from training.registry.mlflow_registry import Registry

    with step("MLflow") as running:
        registry = Registry(settings.tracking_uri, settings.home / "mlruns")
        runs = log_report(registry, found.to_document(), found.to_page(), settings.tenant)
        running.result = f"{len(runs)} runs"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror}", "choose a file in an existing folder"
        ) from None
