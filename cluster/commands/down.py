"""`quorum down`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.console import JsonFlag, emit


def down(
    drain_s: Annotated[
        float, typer.Option(min=0, help="Longest wait for requests in flight, in seconds.")
    ] = 5.0,
    as_json: JsonFlag = False,
) -> None:
    """Stop everything that `quorum up` started, and free its ports. Data stays."""
    from cluster.shutdown import bring_down
    from fraud.settings import Settings

    emit(bring_down(Settings.load(), drain_s), as_json, _render)


def _render(report: dict[str, Any]) -> str:
    stopped = list(report["stopped"])
    return f"stopped {', '.join(stopped)}" if stopped else "nothing was up"
