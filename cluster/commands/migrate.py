"""`quorum migrate`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from cluster.terminal.console import JsonFlag, emit


class PhaseChoice(StrEnum):
    """Which migrations to apply."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


def migrate(
    phase: Annotated[
        PhaseChoice,
        typer.Option(
            help="[b]pre[/b]: before a roll-out of Quorum, [b]post[/b]: after it, or [b]all[/b]."
        ),
    ] = PhaseChoice.ALL,
    as_json: JsonFlag = False,
) -> None:
    """Bring the database schema up to date."""
    import asyncio

    from cluster.home.connection import database_url
    from cluster.schema.migrate import migrate as apply
    from settings.settings import Settings

    done = asyncio.run(apply(database_url(Settings.load()), phase.value))
    report = {
        "applied": [{"file": file, "seconds": round(took, 3)} for file, took in done.applied],
        "present": done.present,
        "unknown": list(done.unknown),
    }
    emit(report, as_json, _render)


def _render(report: dict[str, Any]) -> str:
    lines = [f"applied {item['file']} in {item['seconds']} s" for item in report["applied"]]
    if not lines:
        lines = [f"up to date: {report['present']} migrations were applied before"]
    lines += [f"{name} belongs to a newer release, left alone" for name in report["unknown"]]
    return "\n".join(lines)
