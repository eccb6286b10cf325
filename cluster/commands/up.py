"""`quorum up`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cluster.commands.options import (
    ForegroundOption,
    HostOption,
    ServeConfigOption,
    ServeTimeoutOption,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, results

#: Longest wait for requests in flight when --foreground ends, in seconds.
_DRAIN_S = 8.0


def up(
    config: ServeConfigOption = None,
    customers: Annotated[
        int,
        typer.Option(min=1, help="Customers in the history that is generated if there is none."),
    ] = 2_000,
    days: Annotated[int, typer.Option(min=1, help="Days of the generated history.")] = 90,
    timeout_s: ServeTimeoutOption = 300.0,
    stores: Annotated[
        bool,
        typer.Option("--stores", help="Start only PostgreSQL and Redis, to load data and train."),
    ] = False,
    host: HostOption = None,
    foreground: ForegroundOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Start everything: stores, Ray and the applications, with a first history and first models.

    Run it again at any time: it starts only what does not run yet and keeps existing data. It
    prints Quorum's address, an API key and a first request.

    With --host this machine becomes the head of several: `quorum join` adds the others. They share
    PostgreSQL, Redis, the models and the secrets, so all of these must be set.
    """
    if host is not None:
        os.environ["QUORUM_HOST"] = host  # for this process and the node's
    from cluster.run.initial_history import Scale
    from cluster.run.startup import bring_up, bring_up_stores

    if stores:
        if foreground or config is not None:
            raise CommandFailed(
                "--stores cannot be combined with --foreground or --config", "see --help", 2
            )
        emit(bring_up_stores(), as_json, _render_stores)
        return

    def start() -> dict[str, str]:
        return bring_up(config, Scale(customers, days), timeout_s)

    if foreground:
        # No API key: a container's output is kept in logs.
        _run_in_foreground(lambda: emit({"url": start()["url"]}, as_json, _render_address))
    else:
        emit(start(), as_json, _render)


def _run_in_foreground(start: Callable[[], None]) -> None:
    from cluster.node.foreground import run_in_foreground
    from cluster.node.node import Node
    from cluster.run.shutdown import bring_down
    from settings.settings import Settings

    node = Node.of(Settings.load())
    if node.several:
        from cluster.membership.leave import leave_in_foreground

        # The other nodes go on until this one is back.
        leave_in_foreground(start)
        return

    def stop() -> None:
        bring_down(Settings.load(), _DRAIN_S)

    run_in_foreground(start, lambda: node.running, stop)


def _render_address(report: dict[str, str]) -> str:
    return f"Quorum   {report['url']}   (demo.env under QUORUM_HOME holds an API key)"


def _render_stores(report: dict[str, Any]) -> str:
    running = ", ".join(f"{name} ({where})" for name, where in report["stores"].items())
    return f"running: {running}; now use `quorum load` and `quorum train`; `quorum down` stops them"


def _render(report: dict[str, str]) -> None:
    # Neither wrapped nor marked up: people paste these lines.
    for line in (
        f"Quorum   {report['url']}   (API reference: {report['url']}/docs)",
        f"Console  {report['url']}/console   (sign in with the API key)",
        f"API key  {report['api_key']}",
        f"Try      {report['curl']}",
    ):
        results.print(line, markup=False, soft_wrap=True)
