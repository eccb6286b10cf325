"""The links of this process' replica: those it serves, and those it has to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray import serve

from deployments.links.names import replica_name, socket_path
from deployments.links.network.network import Network
from deployments.links.registry.announcer import Announcer
from deployments.links.registry.interface import Entry
from deployments.links.server import LinkServer
from deployments.links.switchboard import Switchboard
from settings.settings import Settings


class ReplicaLinks:
    """Where other replicas reach this one.

    Args:
        server: serves its methods.
        announcer: announces it to other machines; None: there are none.
    """

    def __init__(self, server: LinkServer, announcer: Announcer | None) -> None:
        self._server = server
        self._announcer = announcer

    async def close(self) -> None:
        """See `LinkServer.close`."""
        if self._announcer is not None:
            await self._announcer.close()
        await self._server.close()


async def open_links(settings: Settings, methods: Mapping[str, Callable[..., Any]]) -> ReplicaLinks:
    """Serve `methods` over links: at a socket in `settings.links`, if that is set, and at a port if
    there are other machines. Call it when the replica is ready.

    Raises:
        OSError: the folder cannot be used, or no port is free.
        SettingInvalid: see `Network.of`.
    """
    replica = serve.get_replica_context().replica_id
    name = replica_name(
        replica.deployment_id.app_name, replica.deployment_id.name, replica.unique_id
    )
    server, announcer = LinkServer(methods), None
    network = _network(settings)
    if network is not None:
        entry = Entry(name, network.address, server.listen(network, name), network.node)
        announcer = Announcer(network.registry(), entry)
    # Nobody finds the replica until all of it is open.
    if settings.links is not None:
        await server.open(socket_path(settings.links, name))
    if announcer is not None:
        announcer.start()
    return ReplicaLinks(server, announcer)


def switchboard_of(settings: Settings) -> Switchboard:
    """Return the links of this process to other replicas.

    Raises:
        SettingInvalid: see `Network.of`.
    """
    # See `switchboard.ENOUGH_ROWS`.
    return Switchboard(settings.links, _network(settings), 2 * settings.max_rows_per_call)


def _network(settings: Settings) -> Network | None:
    if not settings.several_nodes:
        return None
    context = ray.get_runtime_context()
    # The same for as long as the cluster lives, whatever becomes of its head.
    cluster: str = context.worker.gcs_client.cluster_id.hex()
    return Network.of(settings, context.get_node_id(), cluster)
