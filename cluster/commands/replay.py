"""`quorum replay`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.home.connection import with_database
from cluster.terminal.console import JsonFlag, emit


def replay(
    decision_id: Annotated[str, typer.Argument(help="The `decision_id` of an answer.")],
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a recorded decision again and compare the results.

    Exit code 1 if they differ.
    """
    from deciding.replay import replay as again
    from fraud.errors import NotFound
    from models.store.location import store_of

    settings = load_settings(tenant)
    try:
        found = with_database(
            settings, lambda session: again.fetch(session, settings.tenant, decision_id)
        )
    except ValueError as error:
        raise CommandFailed(
            f"{decision_id!r} is not a decision id", "copy the `decision_id` of an answer", 2
        ) from error
    except NotFound as error:
        raise CommandFailed(
            str(error), "check --tenant; decisions of the last seconds may not be stored yet"
        ) from error
    replayed = again.replay(found, store_of(settings))
    emit(replayed.to_document(), as_json, _render)
    if not replayed.matches:
        raise typer.Exit(1)


def _render(replayed: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    differing = [check for check in replayed["checks"] if check["verdict"] == "differs"]
    unchecked = [check for check in replayed["checks"] if check["verdict"] == "unchecked"]
    shown = differing + unchecked
    line = _summary(replayed, len(differing), len(unchecked))
    if not shown:
        return Text(line)
    table = Table("Value", "Recorded", "Recomputed", "", box=None, pad_edge=False)
    for check in shown:
        table.add_row(
            check["what"],
            _value(check["recorded"]),
            _value(check["recomputed"]),
            Text(check["note"] or check["verdict"]),
        )
    return Group(Text(line), table)


def _summary(replayed: dict[str, Any], differing: int, unchecked: int) -> str:
    result = "matches" if replayed["matches"] else "DOES NOT MATCH"
    equal = len(replayed["checks"]) - differing - unchecked
    counts = [f"{equal} values equal"]
    if differing:
        counts.append(f"{differing} differ")
    if unchecked:
        counts.append(f"{unchecked} could not be checked here")
    return f"{replayed['decision_id']} {result}: {', '.join(counts)} (plan {replayed['plan']})"


def _value(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.9g}"
