"""`quorum down`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, say


def down(
    drain_s: Annotated[
        float, typer.Option(min=0, help="Longest wait for requests in flight, in seconds.")
    ] = 5.0,
    as_json: JsonFlag = False,
) -> None:
    """Stop everything that `quorum up` started, and free its ports. Data stays."""
    from cluster.home.project import require_home
    from cluster.run.shutdown import bring_down
    from settings.settings import Settings

    settings = Settings.load()
    try:
        require_home(settings)
    except CommandFailed as error:
        say(str(error))  # and there is nothing to stop there, which is what was asked for
    emit(bring_down(settings, drain_s), as_json, _render)


def _render(report: dict[str, Any]) -> str:
    stopped = list(report["stopped"])
    return f"stopped {', '.join(stopped)}" if stopped else "nothing was up"
