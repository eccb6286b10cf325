"""`quorum load`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster.commands.options import (
    LayoutOption,
    LimitOption,
    PaymentsFile,
    TenantOption,
    load_settings,
)
from cluster.errors import CommandFailed
from cluster.terminal.bars import LoadBar
from cluster.terminal.console import JsonFlag, emit, progress
from cluster.terminal.failures import file_errors
from cluster.terminal.load_report import load_text, preview_text


def load(
    file: PaymentsFile,
    layout: LayoutOption = "canonical",
    tenant: TenantOption = None,
    limit: LimitOption = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="CSV file for refused rows.", show_default="under QUORUM_HOME"),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Start at the first row, even if an earlier run got further."),
    ] = False,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Load nothing; show how the layout reads the first rows (1,000, or --limit).",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Load payments and their labels into PostgreSQL.

    A run may be killed and repeated: each row is loaded once. Invalid rows are refused and written
    to a file of rejects with their lines and reasons; the others are loaded. Exit code 1 if all
    rows are refused.
    """
    if dry:
        _preview(file, layout, limit, as_json)
        return
    import asyncio

    from cluster.api_keys import require_tenant
    from cluster.home.connection import database_url
    from data.load.loader import load_file

    settings = load_settings(tenant)
    require_tenant(settings.tenant)
    with file_errors():
        _warn_of_leaks(layout)
        with LoadBar(file.name) as bar:
            report = asyncio.run(
                load_file(
                    database_url(settings),
                    file,
                    layout,
                    tenant=settings.tenant,
                    rejects=rejects,
                    rejects_folder=settings.home / "rejects",
                    limit=limit,
                    again=again,
                    progress=bar.show,
                )
            )
    emit(report.as_dict(), as_json, load_text)
    rows = report.rows + report.resumed_after
    if rows and report.bad == rows:
        what = f"all {rows:,} rows of {file.name} were refused"
        raise CommandFailed(what, f"their lines and reasons are in {report.rejects}")


def _preview(file: Path, layout: str, limit: int | None, as_json: bool) -> None:
    from data.load.dry_run import ROWS, dry_run

    with file_errors():
        _warn_of_leaks(layout)
        report = dry_run(file, layout, limit or ROWS)
    emit(report.as_dict(), as_json, preview_text)
    if report.refused is not None:
        raise CommandFailed(report.refused, "correct the layout, see docs/layouts.md")


def _warn_of_leaks(layout: str) -> None:
    """Warn of columns whose names suggest a leak; `quorum train` checks their values."""
    from data.layout.layout import load_layout
    from training.guard.guard import inspect_layout

    for finding in inspect_layout(load_layout(layout)):
        progress.print(f"warning: {finding.sentence}", highlight=False, soft_wrap=True)
