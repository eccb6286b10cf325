"""`quorum leave`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.terminal.console import JsonFlag, emit


def leave(
    grace_s: Annotated[
        float,
        typer.Option(min=0, help="Wait until load balancers see that it is not ready, in seconds."),
    ] = 5.0,
    drain_s: Annotated[
        float, typer.Option(min=1, help="Longest wait for its replicas to end, in seconds.")
    ] = 60.0,
    as_json: JsonFlag = False,
) -> None:
    """End the node of this machine; the other nodes go on.

    The head may leave for ten minutes: `quorum up` brings it back.
    """
    from cluster.home.paths import require_home
    from cluster.membership.leave import leave as end_node
    from settings.settings import Settings

    settings = Settings.load()
    require_home(settings)
    emit(end_node(settings, grace_s, drain_s), as_json, _render)


def _render(report: dict[str, Any]) -> str:
    left = f"the node has left: {report['processes']} processes ended in {report['seconds']} s"
    if not report["waiting"]:
        return left
    return f"{left}. Keep its disk: `quorum wal ship` writes what PostgreSQL does not have yet"
