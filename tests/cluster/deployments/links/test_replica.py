"""A replica of Serve is reached over a link from what could be another machine."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import psutil
import pytest

from cluster.node.node import Node
from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name
from deployments.links.network.network import Network
from deployments.links.switchboard import Switchboard
from settings.settings import Settings
from tests.contracts.links import never
from tests.contracts.waiting import until


def own_address() -> str | None:
    """An address of this machine that others could reach."""
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not one.address.startswith("127."):
                return one.address
    return None


@pytest.mark.skipif(own_address() is None, reason="this machine has no address but loopback")
def test_a_replica_announces_itself_and_leaves(node: Node, redis_url: str):
    import ray
    from ray import serve

    address = own_address()
    variables = {
        "QUORUM_HOST": str(address),
        "QUORUM_KEY_PEPPER": "p",
        "REDIS_URL": redis_url,
        "QUORUM_LINK_PORTS": "31000-31099",
    }

    @serve.deployment(
        name="Pool", ray_actor_options={"num_cpus": 0, "runtime_env": {"env_vars": variables}}
    )
    class Pool:
        async def __init__(self) -> None:  # type: ignore[misc]
            from deployments.links.replica import open_links
            from settings.settings import Settings

            self._links = await open_links(Settings.load(), {"who": lambda: "me"})

        async def __del__(self) -> None:
            await self._links.close()

    serve.run(Pool.bind(), name="app", route_prefix=None)  # type: ignore[attr-defined]
    context = ray.get_runtime_context()
    network = Network.of(
        Settings(host=address, key_pepper="p", redis_url=redis_url),
        context.get_node_id(),
        context.worker.gcs_client.cluster_id.hex(),
    )

    async def call() -> Any:
        # As from another machine: of one's own, replicas have sockets.
        switchboard = Switchboard(None, replace(network, address="127.0.0.1"))
        pool = pool_name("app", "Pool")
        await switchboard.start()
        await switchboard.watch(pool)
        await until(lambda: switchboard.size(pool) == 1)
        entries = await network.registry().entries()
        answer = await LinkedMethod(switchboard.best, pool, "who", never)()
        deleted = asyncio.create_task(asyncio.to_thread(serve.delete, "app"))
        await until(lambda: switchboard.size(pool) == 0)
        await deleted
        left = await network.registry().entries()
        await switchboard.close()
        return entries, answer, left

    entries, answer, left = asyncio.run(call())
    assert answer == "me"
    assert [(entry.address, entry.node) for entry in entries] == [(address, context.get_node_id())]
    assert 31_000 <= entries[0].port <= 31_099
    assert left == []
