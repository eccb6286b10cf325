"""`quorum join`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cluster.commands.options import ForegroundOption, HostOption
from cluster.terminal.console import JsonFlag, emit


def join(
    head: Annotated[
        str, typer.Argument(help="Address of the head node: HOST, or HOST:PORT of its Ray.")
    ],
    host: HostOption = None,
    timeout_s: Annotated[
        float, typer.Option(min=1, help="Longest wait until this node is ready, in seconds.")
    ] = 180.0,
    foreground: ForegroundOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Make this machine a node of the Quorum whose head runs elsewhere.

    It needs the head's DATABASE_URL, REDIS_URL, QUORUM_ARTIFACTS, QUORUM_KEY_PEPPER and Ray token,
    by environment or by files, and refuses to start if one differs.
    """
    from cluster.membership.join import join as start_node
    from cluster.membership.leave import leave_in_foreground

    def start() -> None:
        emit(start_node(head, host, timeout_s), as_json, _render)

    if foreground:
        leave_in_foreground(start)
    else:
        start()


def _render(report: dict[str, Any]) -> str:
    return (
        f"Quorum   {report['url']}   (node ready after {report['seconds']} s;"
        f" its metrics: {report['own_url']}/metrics)"
    )
