"""The socket of this process' replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import serve

from deployments.links.server import LinkServer
from deployments.links.switchboard import socket_path


async def open_links(folder: Path | None, methods: Mapping[str, Callable[..., Any]]) -> LinkServer:
    """Serve `methods` over links, if there is a folder for them. Call it when the replica is ready.

    Raises:
        OSError: the folder cannot be used.
    """
    server = LinkServer(methods)
    if folder is not None:
        replica = serve.get_replica_context().replica_id
        deployment = replica.deployment_id
        path = socket_path(folder, deployment.app_name, deployment.name, replica.unique_id)
        await server.open(path)
    return server
