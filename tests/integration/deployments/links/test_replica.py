"""Links of replicas on two nodes, put together from the settings and found in a real Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import psutil
import pytest

from deployments.links import replica as module
from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name
from deployments.links.replica import open_links, switchboard_of
from settings.settings import Settings
from stores.redis.connection import RedisConnection
from tests.contracts.links import handle, never
from tests.contracts.ports import free_ports
from tests.contracts.run_folder import run_folder
from tests.contracts.waiting import until

POOL = pool_name("app", "Pool")


@pytest.fixture
def cluster(monkeypatch) -> str:
    """The id of the cluster of Ray that this process believes to be in, as the replica `a` of a
    pool."""
    cluster = uuid4().hex
    context = SimpleNamespace(
        get_node_id=lambda: "node",
        worker=SimpleNamespace(
            gcs_client=SimpleNamespace(cluster_id=SimpleNamespace(hex=lambda: cluster))
        ),
    )
    replica = SimpleNamespace(
        replica_id=SimpleNamespace(
            unique_id="a", deployment_id=SimpleNamespace(app_name="app", name="Pool")
        )
    )
    monkeypatch.setattr(module.ray, "get_runtime_context", lambda: context)
    monkeypatch.setattr(module.serve, "get_replica_context", lambda: replica)
    return cluster


def settings(redis_url: str, host: str, links: Path | None = None, **others: object) -> Settings:
    return Settings(
        host=host,
        redis_url=redis_url,
        redis_timeout_ms=2_000,
        key_pepper="p",
        links=links,
        **others,
    )


def listening() -> set[tuple[str, int]]:
    """Addresses at which this process listens."""
    found = psutil.Process().net_connections("tcp")
    return {tuple(one.laddr) for one in found if one.status == psutil.CONN_LISTEN}


async def test_a_node_alone_opens_its_socket_and_nothing_else(redis_url, cluster):
    with run_folder("links") as folder:
        alone = settings(redis_url, "127.0.0.1", folder)
        before = listening()
        links = await open_links(alone, {"who": lambda: "a"})
        switchboard = switchboard_of(alone)
        await switchboard.watch(POOL)
        assert await LinkedMethod(switchboard.best, POOL, "who", never)() == "a"
        assert listening() == before
        redis = RedisConnection(redis_url, 2_000)
        assert await redis.call("EXISTS", f"q:links:{cluster}") == 0
        await redis.close()
        await switchboard.close()
        await links.close()


async def test_two_nodes_find_each_other_and_part(redis_url, cluster, monkeypatch):
    """The replica is on one node, its caller on the other."""
    monkeypatch.setattr(Settings, "several_nodes", property(lambda _: True))
    ports = "30000-30099"
    there, here = (
        settings(redis_url, host, link_ports=ports) for host in ("127.0.0.2", "127.0.0.3")
    )
    switchboard = switchboard_of(here)
    await switchboard.start()
    await switchboard.watch(POOL)
    who = LinkedMethod(switchboard.best, POOL, "who", handle)
    assert await who() == "handle"
    before = listening()
    links = await open_links(there, {"who": lambda: "a"})
    ((address, port),) = listening() - before
    assert address == "127.0.0.2"
    assert 30_000 <= port <= 30_099
    await until(lambda: switchboard.size(POOL) == 1)
    assert await who() == "a"
    redis = RedisConnection(redis_url, 2_000)
    key = f"q:links:{cluster}"
    (value,) = await redis.call("HVALS", key)
    assert value.startswith(f"127.0.0.2 {port} node ".encode())
    await links.close()
    assert await redis.call("EXISTS", key) == 0
    assert listening() == before
    await until(lambda: switchboard.size(POOL) == 0)
    assert await who() == "handle"
    await redis.close()
    await switchboard.close()


async def test_a_replica_opens_while_redis_is_away_and_is_not_found(cluster, monkeypatch):
    monkeypatch.setattr(Settings, "several_nodes", property(lambda _: True))
    (port,) = free_ports(1)
    away = settings(f"redis://127.0.0.1:{port}/0", "127.0.0.2")
    links = await open_links(away, {"who": lambda: "a"})
    switchboard = switchboard_of(away)
    await switchboard.start()
    await switchboard.watch(POOL)
    await asyncio.sleep(0.2)
    assert switchboard.alive
    assert switchboard.best(POOL) is None
    await switchboard.close()
    await links.close()
