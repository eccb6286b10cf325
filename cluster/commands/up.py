"""`quorum up`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, results

#: Longest wait for requests in flight when the foreground is asked to end, in seconds.
_DRAIN_S = 10.0


def up(
    config: Annotated[
        Path | None, typer.Option(help="Serve configuration; default: serve_config.yaml.")
    ] = None,
    customers: Annotated[
        int, typer.Option(min=1, help="Customers of the history that is made up if there is none.")
    ] = 2_000,
    days: Annotated[int, typer.Option(min=1, help="Days of that history.")] = 90,
    timeout_s: Annotated[
        float, typer.Option(min=1, help="Longest wait for applications, in seconds.")
    ] = 300.0,
    stores: Annotated[
        bool,
        typer.Option("--stores", help="Only PostgreSQL and Redis: for loading and training."),
    ] = False,
    foreground: Annotated[
        bool,
        typer.Option("--foreground", help="Stay, and stop everything on SIGTERM: for containers."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start everything: stores, history, models, Ray, applications. Run it again at any time.

    What is up or there already is used as it is. Prints where Quorum is and how to ask it.
    """
    from cluster.run.history import Scale
    from cluster.run.startup import bring_up, bring_up_stores

    if stores:
        if foreground or config is not None:
            raise CommandFailed("--stores stands alone", "see --help", 2)
        emit(bring_up_stores(), as_json, _render_stores)
        return

    def start() -> dict[str, str]:
        return bring_up(config, Scale(customers, days), timeout_s)

    if foreground:
        # What a container prints is kept in logs: no key.
        _hold(lambda: emit({"url": start()["url"]}, as_json, _where))
    else:
        emit(start(), as_json, _render)


def _hold(start: Callable[[], None]) -> None:
    from cluster.node.node import Node
    from cluster.run.foreground import hold
    from cluster.run.shutdown import bring_down
    from settings.settings import Settings

    node = Node.of(Settings.load())

    def stop() -> None:
        bring_down(Settings.load(), _DRAIN_S)

    hold(start, lambda: node.running, stop)


def _where(report: dict[str, str]) -> str:
    return f"Quorum   {report['url']}   (a key for it is in demo.env under QUORUM_HOME)"


def _render_stores(report: dict[str, Any]) -> str:
    said = ", ".join(f"{name} ({where})" for name, where in report["stores"].items())
    return f"up: {said}; `quorum load` and `quorum train` work now, `quorum down` stops them"


def _render(report: dict[str, str]) -> None:
    # As it is: wrapped or marked up, the line could not be pasted.
    for line in (
        f"Quorum   {report['url']}   (reference: {report['url']}/docs)",
        f"API key  {report['api_key']}",
        f"Try      {report['curl']}",
    ):
        results.print(line, markup=False, soft_wrap=True)
