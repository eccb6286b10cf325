"""`quorum deploy`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cluster.terminal.terminal import JsonFlag, emit, step


def deploy(
    config: Annotated[
        Path | None, typer.Option(help="Serve configuration; default: serve_config.yaml.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option(min=1, help="Longest wait for applications, in seconds.")
    ] = 300.0,
    as_json: JsonFlag = False,
) -> None:
    """Roll applications out as `serve deploy` does, and wait until they decide."""
    from cluster.home.project import serve_config
    from cluster.node.deploy import read_config, wait_ready, wait_running
    from cluster.node.node import HOST, Node
    from cluster.run.overview import applications
    from settings.settings import Settings

    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.http_host, port=settings.http_port
    )
    names = {str(application["name"]) for application in document["applications"]}
    with step("Deploy") as going_on:
        node.dashboard.deploy(document)
        details = wait_running(node.dashboard, names, timeout_s=timeout_s, note=going_on.note)
        url = f"http://{HOST}:{settings.http_port}"
        wait_ready(url, timeout_s=timeout_s, note=going_on.note)
        going_on.result = f"{len(names)} applications"
    emit({"url": url, "applications": applications(details)}, as_json, _render)


def _render(report: dict[str, Any]) -> Any:
    from cluster.run.overview import applications_table

    return applications_table(report["applications"])
