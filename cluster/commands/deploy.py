"""`quorum deploy`."""

from __future__ import annotations

from typing import Any

from cluster.commands.options import ServeConfigOption, ServeTimeoutOption
from cluster.terminal.console import JsonFlag, emit, step
from cluster.terminal.status_tables import applications_table


def deploy(
    config: ServeConfigOption = None,
    timeout_s: ServeTimeoutOption = 300.0,
    as_json: JsonFlag = False,
) -> None:
    """Roll out the Serve applications, and wait until they answer.

    Does what `serve deploy` does, with Quorum's address and port.
    """
    from cluster.home.paths import serve_config
    from cluster.node.deploy import read_config, wait_ready, wait_running
    from cluster.node.node import HOST, Node
    from cluster.run.status import applications
    from settings.settings import Settings

    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.http_host, port=settings.http_port
    )
    names = {str(application["name"]) for application in document["applications"]}
    with step("Deploy") as running:
        node.dashboard.deploy(document)
        details = wait_running(node.dashboard, names, timeout_s=timeout_s, note=running.note)
        url = f"http://{HOST}:{settings.http_port}"
        wait_ready(url, timeout_s=timeout_s, note=running.note)
        running.result = f"{len(names)} applications"
    emit({"url": url, "applications": applications(details)}, as_json, _render)


def _render(report: dict[str, Any]) -> Any:
    return applications_table(report["applications"])
