"""`quorum wal`: list, ship."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, step
from cluster.terminal.tables.logs import shipped_table, writers_table

if TYPE_CHECKING:
    from decision_log.lost_machine import FoundLog, ShippedWriter, WriterState
    from settings.settings import Settings

app = typer.Typer(
    help="Look at decision logs on disk, and ship that of a machine that is gone.",
    no_args_is_help=True,
)

_WHAT = "A $QUORUM_HOME, its `wal` folder, or a writer's folder in it; also a copy, or a mounted"
_HINT = "name a $QUORUM_HOME, its `wal` folder, or a writer's folder in it"


@app.command("list")
def list_writers(
    folder: Annotated[
        Path | None, typer.Argument(help=f"{_WHAT} disk.", show_default="QUORUM_HOME")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the writers of a decision log, and what PostgreSQL does not have yet."""
    from decision_log.lost_machine import ROOT, state_of
    from settings.settings import Settings

    found = _found(folder or Settings.load().home / ROOT)
    report = {
        "writers": [_state(state_of(writer)) for writer in found.writers],
        "dead_letters": found.dead_letters,
    }
    emit(report, as_json, writers_table)


@app.command()
def ship(
    folder: Annotated[Path, typer.Argument(help=f"{_WHAT} disk.")],
    keep: Annotated[
        bool, typer.Option("--keep", help="Change nothing in the folder, and leave it there.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write the records of a machine that is gone to PostgreSQL, and remove its folders.

    A folder that cannot be written is read and stays. To ship one twice, or copies of it from two
    machines at once, doubles nothing. Exit code 1 if something in it cannot be shipped: it is set
    aside in `$QUORUM_HOME/wal/dead-letters` of this machine.
    """
    import asyncio

    from settings.settings import Settings

    settings = Settings.load()
    found = _found(folder)
    shipped = asyncio.run(_ship(settings, found, keep))
    if shipped and all(writer.alive for writer in shipped):
        raise CommandFailed(
            f"{folder} is in use: a process of this machine writes or ships it",
            "a living Quorum ships its log by itself; `quorum wal list` shows what waits",
        )
    report = _report(settings, found, shipped)
    emit(report, as_json, shipped_table)
    if any(writer.set_aside or writer.damaged_bytes or writer.failed for writer in shipped):
        raise typer.Exit(1)


def _found(folder: Path) -> FoundLog:
    from decision_log.lost_machine import LogRefused, find_log

    try:
        return find_log(folder)
    except LogRefused as error:
        raise CommandFailed(str(error.args[0]), _HINT) from None


async def _ship(settings: Settings, found: FoundLog, keep: bool) -> list[ShippedWriter]:
    from cluster.home.connection import check_external, database_url
    from decision_log.lost_machine import ROOT, LostMachine
    from decision_log.shipping.postgres_sink import PostgresSink
    from fraud.errors import StoreUnavailable

    await check_external(settings, "DATABASE_URL")
    sink = PostgresSink(database_url(settings))
    machine = LostMachine(sink, settings.home / ROOT, keep=keep)
    shipped: list[ShippedWriter] = []
    try:
        for folder in found.writers:
            with step(f"shipping {folder.name}") as running:
                writer = await machine.ship(folder)
                running.result = _result(writer)
            shipped.append(writer)
    except StoreUnavailable as error:
        rows = sum(writer.rows for writer in shipped) + machine.stats.shipped_rows
        raise CommandFailed(
            f"PostgreSQL: {error}",
            f"nothing is lost: {rows:,} records were shipped, the others are where they were;"
            " run it again",
        ) from None
    finally:
        await sink.close()
    return shipped


def _result(writer: ShippedWriter) -> str:
    return "in use" if writer.alive else f"{writer.rows:,} records" + ", not all" * writer.failed


def _state(state: WriterState) -> dict[str, Any]:
    age_s = None if state.oldest_ms is None else max(0.0, time.time() - state.oldest_ms / 1000)
    return {
        "writer": state.folder.name,
        "folder": state.folder,
        "alive": state.alive,
        "bytes": state.bytes,
        "entries": state.entries,
        "rows": state.rows,
        "unreadable": state.unreadable,
        "oldest_age_s": age_s and round(age_s, 3),
    }


def _report(settings: Settings, found: FoundLog, shipped: list[ShippedWriter]) -> dict[str, Any]:
    from decision_log.disk.segment import ASIDE
    from decision_log.lost_machine import ROOT

    aside = any(writer.set_aside or writer.damaged_bytes for writer in shipped)
    return {
        "writers": [_shipped(writer) for writer in shipped],
        "set_aside_in": settings.home / ROOT / ASIDE if aside else None,
        "dead_letters": found.dead_letters,
    }


def _shipped(writer: ShippedWriter) -> dict[str, Any]:
    return {
        "writer": writer.folder.name,
        "folder": writer.folder,
        "alive": writer.alive,
        "entries": writer.entries,
        "rows": writer.rows,
        "repeated": writer.repeated,
        "set_aside": writer.set_aside,
        "damaged_bytes": writer.damaged_bytes,
        "torn_bytes": writer.torn_bytes,
        "kept": writer.kept,
        "failed": writer.failed,
        "stays": writer.stays,
    }
