"""`quorum features`: write offline features, check served ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cluster.commands.load_preview import reason_lines
from cluster.terminal.bars import StageBars
from cluster.terminal.terminal import CommandFailed, JsonFlag, emit

_TITLES = {
    "read": "Read the file",
    "write": "Replay features",
    "warm": "Replay history",
    "check": "Check decisions",
}
_EXPLAINED = {
    "concurrent": "decided within moments of another one of the same entity",
    "label_in_flight": "a label of the same entity became known within moments",
}


class _WriteUnlessNamed(TyperGroup):
    """`quorum features FILE ...` is `quorum features write FILE ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["write", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_WriteUnlessNamed,
    help=(
        "Write the features of a file's payments, or check those that served decisions saw.\n\n"
        "`quorum features --layout NAME FILE --out FEATURES.parquet` is short for "
        "`quorum features write ...`."
    ),
    no_args_is_help=True,
)


@app.command()
def write(
    file: Annotated[Path, typer.Argument(help="CSV (.csv, .csv.gz) or Parquet file of payments.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    layout: Annotated[
        str,
        typer.Option(help="Which column is what: a layout's name, or your own TOML file."),
    ] = "canonical",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many rows of the file.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="CSV file for rows that were refused; beside the output if not given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output.")] = False,
    on_ray: Annotated[
        bool,
        typer.Option("--ray", help="Work on the Ray of RAY_ADDRESS, or one of its own."),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="With --ray: CPUs besides this process.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Write offline features: a row a payment, in the order of time, with its id and label.

    Each row holds what would have been served at that moment: payments before it, and labels
    that were known by then. Needs no database. The rows are the same with --ray. The exit code is
    1 if all rows are refused.
    """
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid
    from training.offline.features import ComputeFeatures, OutputExists, in_process, write_features

    compute: ComputeFeatures = in_process
    if on_ray:
        import os

        from training.offline import on_ray as ray_tasks

        compute = ray_tasks.on_ray(os.environ.get("RAY_ADDRESS"), workers)
    try:
        with StageBars(_TITLES) as bars:
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
    except LayoutInvalid as error:
        raise CommandFailed(str(error), "docs/layouts.md shows what a layout may say") from None
    except SourceUnreadable as error:
        raise CommandFailed(str(error), "check the file") from None
    emit(report.as_dict(), as_json, _written)
    if report.read and report.bad == report.read:
        what = f"all {report.read:,} rows of {file.name} were refused"
        raise CommandFailed(what, f"their lines and reasons are in {report.rejects}")


def _written(report: dict[str, Any]) -> str:
    left_out = [
        f"{report[what]:,} {said}"
        for what, said in (
            ("bad", "refused"),
            ("repeated", "repeated"),
            ("reused", "under the id of another payment"),
        )
        if report[what]
    ]
    lines = [
        f"{report['rows']:,} rows of {report['features']} features in {report['seconds']:.1f} s"
        f" ({report['rows_per_s']:,.0f}/s, {report['peak_mib']:,.0f} MiB)"
        + "".join(f", {part}" for part in left_out),
        f"{report['out']} (schema {report['schema_id']}, {report['labelled']:,} labelled)",
    ]
    if report["rejects"]:
        lines.append(f"refused rows: {report['rejects']}")
    lines += reason_lines(report)
    return "\n".join(lines)


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
            help="Only decisions made then or later; UTC unless it says otherwise.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many decisions, the newest.")
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of decisions that may differ unexplained."),
    ] = 0.0,
    tenant: Annotated[
        str | None, typer.Option(help="Whose decisions; QUORUM_TENANT if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare what served decisions saw with a replay of history (exit code 1 if they differ).

    Bit for bit, out of PostgreSQL: payments and labels in the order in which they came.
    """
    import asyncio

    from cluster.home.connection import database_url
    from settings.settings import Settings
    from training.monitor.skew import check_served

    settings = Settings.load()
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    with StageBars(_TITLES) as bars:
        report = asyncio.run(
            check_served(
                database_url(settings),
                tenant or settings.tenant,
                since=since,
                limit=limit,
                progress=bars.show,
            )
        )
    document = report.as_dict() | {"tolerance": tolerance, "skewed": report.share > tolerance}
    emit(document, as_json, _checked)
    if document["skewed"]:
        raise typer.Exit(1)


def _checked(report: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    lines = [_verdict(report)]
    lines += [
        f"{report[what]:,} {said}"
        for what, said in (
            ("degraded", "not compared: a store was away, and the decision said so"),
            ("other_schema", "not compared: features of another schema"),
            ("retries", "retries: answered out of what the first attempt saw"),
            ("loaded", "payments loaded meanwhile"),
        )
        if report[what]
    ]
    lines += [
        f"{rows:,} explained: {_EXPLAINED[reason]}"
        for reason, rows in report["explained"].items()
        if rows
    ]
    if report["examples"]:
        lines.append(f"for example {', '.join(report['examples'][:3])}")
    text = Text("\n".join(lines))
    if not report["features"]:
        return text
    table = Table("Feature", "Rows", "Unexplained", "Largest difference", box=None, pad_edge=False)
    for feature in report["features"]:
        missing = f", {feature['one_missing']:,} missing on one side"
        table.add_row(
            feature["name"],
            f"{feature['rows']:,}",
            f"{feature['unexplained']:,}",
            f"{feature['largest']:.6g}" + (missing if feature["one_missing"] else ""),
        )
    return Group(text, table)


def _verdict(report: dict[str, Any]) -> str:
    if not report["checked"]:
        return f"tenant {report['tenant']} has no decision of schema {report['schema_id']} to check"
    said = "SKEW" if report["skewed"] else "no skew"
    return (
        f"{said}: {report['checked']:,} decisions checked,"
        f" {report['unexplained']:,} differ unexplained ({report['share']:.3%}),"
        f" {report['since'][:19]} to {report['until'][:19]},"
        f" {report['labels']:,} labels, {report['seconds']:.1f} s"
    )
