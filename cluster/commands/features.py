"""`quorum features`: write offline features, check served ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cluster.commands.options import (
    LayoutOption,
    LimitOption,
    PaymentsFile,
    TenantOption,
    load_settings,
)
from cluster.errors import CommandFailed
from cluster.terminal.bars import StageBars
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.failures import file_errors
from cluster.terminal.feature_reports import skew_table, written_text

_TITLES = {
    "read": "Read the file",
    "write": "Compute features",
    "warm": "Read history",
    "check": "Check decisions",
}


class _WriteByDefault(TyperGroup):
    """Makes `quorum features FILE ...` short for `quorum features write FILE ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["write", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_WriteByDefault,
    help=(
        "Write the features of a file's payments, or check the features of served decisions.\n\n"
        "`quorum features --layout NAME FILE --out FEATURES.parquet` is short for "
        "`quorum features write ...`."
    ),
    no_args_is_help=True,
)


@app.command()
def write(
    file: PaymentsFile,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    layout: LayoutOption = "canonical",
    limit: LimitOption = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="CSV file for refused rows.", show_default="beside the output"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the output if it exists.")
    ] = False,
    on_ray: Annotated[
        bool,
        typer.Option(
            "--ray", help="Use the Ray cluster that RAY_ADDRESS names, else one of its own."
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="With --ray: CPUs to use besides this process.")
    ] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Write offline features: one row for each payment, in order of time, with its id and label.

    Each row holds the features that a decision at that moment would have had: computed from
    earlier payments, and labels known by then. Needs no database. The rows are the same with
    --ray. Exit code 1 if all rows are refused.
    """
    from training.offline.features import ComputeFeatures, OutputExists, in_process, write_features

    compute: ComputeFeatures = in_process
    if on_ray:
        import os

        from training.offline import on_ray as ray_tasks

        compute = ray_tasks.on_ray(os.environ.get("RAY_ADDRESS"), workers)
    with file_errors(), StageBars(_TITLES) as bars:
        try:
            report = write_features(
                file,
                layout,
                out,
                limit=limit,
                rejects=rejects,
                force=force,
                progress=bars.show,
                compute=compute,
            )
        except OutputExists as error:
            raise CommandFailed(str(error), "--force replaces it") from None
    emit(report.as_dict(), as_json, written_text)
    if report.read and report.bad == report.read:
        what = f"all {report.read:,} rows of {file.name} were refused"
        raise CommandFailed(what, f"their lines and reasons are in {report.rejects}")


@app.command()
def check(
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=[
                "%Y-%m-%d",
                "%Y-%m-%dT%H:%M:%S",
                "%Y-%m-%dT%H:%M:%S%z",
                "%Y-%m-%dT%H:%M:%S.%f%z",
            ],
            help="Only decisions since this time, UTC unless it has an offset.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Check at most this many decisions, the newest ones.")
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Share of decisions that may differ without an explanation."
        ),
    ] = 0.0,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare the features of served decisions with features computed from history.

    Takes payments and labels from PostgreSQL in the order in which they arrived, and compares bit
    for bit. Exit code 1 if features differ.
    """
    import asyncio

    from cluster.home.connection import database_url
    from training.monitor.skew import check_served

    settings = load_settings(tenant)
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    with StageBars(_TITLES) as bars:
        report = asyncio.run(
            check_served(
                database_url(settings),
                settings.tenant,
                since=since,
                limit=limit,
                progress=bars.show,
            )
        )
    document = report.as_dict() | {"tolerance": tolerance, "skewed": report.share > tolerance}
    emit(document, as_json, skew_table)
    if document["skewed"]:
        raise typer.Exit(1)
