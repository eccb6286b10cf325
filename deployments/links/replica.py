"""The socket of the replica that this process is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import serve

from deployments.links.server import LinkServer
from deployments.links.switchboard import socket_path


async def open_links(folder: Path | None, methods: Mapping[str, Callable[..., Any]]) -> LinkServer:
    """Answer `methods` over links, if there is a folder for them. To be called when the replica
    is ready to answer.

    Raises:
        OSError: the folder cannot be used.
    """
    server = LinkServer(methods)
    if folder is not None:
        replica = serve.get_replica_context().replica_id
        of = replica.deployment_id
        await server.open(socket_path(folder, of.app_name, of.name, replica.unique_id))
    return server
