"""`quorum down`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, print_line


def down(
    drain_s: Annotated[
        float, typer.Option(min=0, help="Longest wait for requests in flight, in seconds.")
    ] = 5.0,
    as_json: JsonFlag = False,
) -> None:
    """Stop everything that `quorum up` started, and free its ports. Data is kept."""
    from cluster.home.paths import require_home
    from cluster.run.shutdown import bring_down
    from settings.settings import Settings

    settings = Settings.load()
    try:
        require_home(settings)
    except CommandFailed as error:
        print_line(str(error))  # not a failure: nothing is running
    emit(bring_down(settings, drain_s), as_json, _render)


def _render(report: dict[str, Any]) -> str:
    stopped = list(report["stopped"])
    return f"stopped {', '.join(stopped)}" if stopped else "nothing was running"
