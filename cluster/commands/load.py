"""`quorum load`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cluster.commands.load_preview import preview, reason_lines
from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, progress

if TYPE_CHECKING:
    from data.load.loader import LoadReport


def load(
    file: Annotated[Path, typer.Argument(help="CSV (.csv, .csv.gz) or Parquet file of payments.")],
    layout: Annotated[
        str,
        typer.Option(help="Which column is what: a layout's name, or your own TOML file."),
    ] = "canonical",
    tenant: Annotated[
        str | None, typer.Option(help="Whose payments they are; QUORUM_TENANT if not given.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many rows of the file.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="CSV file for rows that were refused; under QUORUM_HOME if not given."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read from the first row, whatever was loaded before.")
    ] = False,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say what the first rows (1,000, or --limit) are understood as; load nothing.",
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Load payments and their labels into PostgreSQL.

    Runs may be killed and repeated: each row is loaded once. Rows that break a rule are listed
    with their line in a file of their own; the others are loaded. The exit code is 1 if all are
    refused.
    """
    if dry:
        _say_what_would_be(file, layout, limit, as_json)
        return
    import asyncio

    from cluster.home.connection import database_url
    from cluster.run.keyring import require_tenant
    from data.load.loader import load_file
    from settings.settings import Settings

    settings = Settings.load()
    require_tenant(tenant or settings.tenant)
    with _explained():
        _shout(layout)
        with _Bar(file) as bar:
            report = asyncio.run(
                load_file(
                    database_url(settings),
                    file,
                    layout,
                    tenant=tenant or settings.tenant,
                    rejects=rejects,
                    rejects_folder=settings.home / "rejects",
                    limit=limit,
                    again=again,
                    progress=bar.show,
                )
            )
    emit(report.as_dict(), as_json, _render)
    rows = report.rows + report.resumed_after
    if rows and report.bad == rows:
        what = f"all {rows:,} rows of {file.name} were refused"
        raise CommandFailed(what, f"their lines and reasons are in {report.rejects}")


def _say_what_would_be(file: Path, layout: str, limit: int | None, as_json: bool) -> None:
    from data.load.dry_run import ROWS, dry_run

    with _explained():
        _shout(layout)
        report = dry_run(file, layout, limit or ROWS)
    emit(report.as_dict(), as_json, preview)
    if report.refused is not None:
        raise CommandFailed(report.refused, "mend the layout (docs/layouts.md)")


@contextmanager
def _explained() -> Iterator[None]:
    """What is wrong with a layout or a file becomes a line that says what to do."""
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, LayoutUnknown
    from data.load.loader import LoadBusy
    from fraud.errors import QuorumError

    try:
        yield
    except LayoutUnknown as error:
        hint = "`quorum layout guess FILE` writes one to start from"
        raise CommandFailed(_said(error), hint) from None
    except LayoutInvalid as error:
        raise CommandFailed(_said(error), "docs/layouts.md shows what a layout may say") from None
    except (SourceUnreadable, LoadBusy) as error:
        hint = "wait for it" if isinstance(error, LoadBusy) else "check the file"
        raise CommandFailed(_said(error), hint) from None
    except QuorumError as error:
        raise CommandFailed(_said(error), "see docs/layouts.md") from None


def _shout(layout: str) -> None:
    """Say on stderr which columns of the layout may leak; `quorum train` judges their values."""
    from data.layout.layout import load_layout
    from training.guard.guard import inspect_layout

    for finding in inspect_layout(load_layout(layout)):
        progress.print(f"warning: {finding.sentence}", highlight=False, soft_wrap=True)


_NAMED = 5


class _Bar:
    """A progress bar on stderr: part of the file, rows, rows a second."""

    def __init__(self, file: Path) -> None:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._bar = Progress(
            TextColumn("loading {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f}/s"),
            console=progress,
            transient=True,
        )
        self._task = self._bar.add_task(file.name, total=1.0, rows=0, speed=0.0)

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, report: LoadReport, share: float) -> None:
        self._bar.update(self._task, completed=share, rows=report.rows, speed=report.rows_per_s)


def _said(error: Exception) -> str:
    return str(error.args[0])


def _render(report: dict[str, Any]) -> str:
    if report["finished"] and not report["rows"] and not report["resumed_after"]:
        return escape(f"{report['file']} has a header and no rows: nothing to load")
    lines = [
        f"{report['rows']:,} rows read in {report['seconds']:.1f} s "
        f"({report['rows_per_s']:,.0f} a second): {report['loaded']:,} loaded, "
        f"{report['already_there']:,} there before, {report['labels']:,} labels"
    ]
    if report["resumed_after"]:
        lines.append(f"{report['resumed_after']:,} rows were done by an earlier run")
    if report["bad"]:
        lines.append(escape(f"{report['bad']:,} rows refused: see {report['rejects']}"))
        lines += reason_lines(report)
    if report["reused"]:
        named = [f"{one} (row {rows[0]})" for one, rows in report["reused_ids"].items()]
        more = ", ..." if len(named) > _NAMED or report["reused"] > len(named) else ""
        lines.append(
            escape(
                f"{report['reused']:,} rows bear the id of another payment: "
                f"{', '.join(named[:_NAMED])}{more}"
            )
        )
        lines.append(
            escape(
                "each is refused, or loaded under an id of its own if the layout says"
                ' [transaction_id] repeated = "apart"'
            )
        )
    if not report["finished"]:
        lines.append("the end of the file is not reached: run it again without --limit")
    return "\n".join(lines)
