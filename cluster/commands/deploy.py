"""`quorum deploy`."""

from __future__ import annotations

from typing import Any

from cluster.commands.options import ServeConfigOption, ServeTimeoutOption
from cluster.terminal.console import JsonFlag, emit
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
    from cluster.node.deploy import read_config, roll_out
    from cluster.node.node import Node
    from cluster.run.status import applications
    from settings.settings import Settings

    settings = Settings.load()
    node = Node.of(settings)
    document = read_config(
        config or serve_config(), host=settings.http_host, port=settings.http_port
    )
    details = roll_out(node.dashboard, node.url, document, timeout_s)
    emit({"url": node.url, "applications": applications(details)}, as_json, _render)


def _render(report: dict[str, Any]) -> Any:
    return applications_table(report["applications"])
