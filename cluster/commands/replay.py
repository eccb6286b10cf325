"""`quorum replay`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.terminal.terminal import CommandFailed, JsonFlag, emit


def replay(
    decision_id: Annotated[str, typer.Argument(help="As the answer to the payment gave it.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose decision; default: QUORUM_TENANT.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a decision again out of its record and say whether it matches (exit code 1 if not)."""
    import asyncio

    from cluster.home.connection import database
    from deciding.replay import replay as again
    from fraud.errors import NotFound
    from models.store.location import store_of
    from settings.settings import Settings

    settings = Settings.load()

    async def stored() -> again.Stored:
        async with database(settings) as connection:
            return await again.fetch(connection, tenant or settings.tenant, decision_id)

    try:
        found = asyncio.run(stored())
    except ValueError as error:
        raise CommandFailed(
            f"{decision_id!r} is not a decision id", "give the decision_id of an answer", 2
        ) from error
    except NotFound as error:
        raise CommandFailed(
            str(error), "see --tenant; the last seconds may not be stored yet"
        ) from error
    made = again.replay(found, store_of(settings))
    emit(made.to_document(), as_json, _render)
    if not made.matches:
        raise typer.Exit(1)


def _render(made: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    differing = [check for check in made["checks"] if check["verdict"] == "differs"]
    unchecked = [check for check in made["checks"] if check["verdict"] == "unchecked"]
    shown = differing + unchecked
    line = _line(made, len(differing), len(unchecked))
    if not shown:
        return Text(line)
    table = Table("Check", "Recorded", "Recomputed", "", box=None, pad_edge=False)
    for check in shown:
        table.add_row(
            check["what"],
            _value(check["recorded"]),
            _value(check["recomputed"]),
            Text(check["note"] or check["verdict"]),
        )
    return Group(Text(line), table)


def _line(made: dict[str, Any], differing: int, unchecked: int) -> str:
    said = "matches" if made["matches"] else "DOES NOT MATCH"
    same = len(made["checks"]) - differing - unchecked
    counts = [f"{same} checks the same"]
    if differing:
        counts.append(f"{differing} differ")
    if unchecked:
        counts.append(f"{unchecked} could not be made here")
    return f"{made['decision_id']} {said}: {', '.join(counts)} (plan {made['plan']})"


def _value(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.9g}"
