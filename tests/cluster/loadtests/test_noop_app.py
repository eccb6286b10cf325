"""The no-op app is deployed and removed without disturbing the running applications."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from cluster.node.node import Node
from loadtests.closed_loop import run
from loadtests.memory import memory_by_role
from loadtests.noop_app import ANSWER, APPLICATION, ROUTE
from loadtests.processes import ray_environment
from loadtests.wire import Endpoint
from tests.contracts.root import ROOT


class Neighbour:
    """An application at the root, like that of the decisions."""

    async def __call__(self, request: Any) -> str:
        """Answer with the process id, which shows whether the replica is still the same."""
        return f"neighbour {os.getpid()}"


@pytest.fixture(scope="module")
def url(node: Node) -> str:
    from ray import cloudpickle, serve

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    serve.start(http_options={"host": "127.0.0.1", "port": node.http_port})
    neighbour = serve.deployment(Neighbour).options(ray_actor_options={"num_cpus": 0})
    serve.run(neighbour.bind(), name="neighbour", route_prefix="/")
    return f"http://127.0.0.1:{node.http_port}"


def command(node: Node, name: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "loadtests.noop_app", name],
        check=True,
        cwd=ROOT,
        env=os.environ | ray_environment(node.home),
        capture_output=True,
        timeout=180,
    )


def until(url: str, text: str) -> str:
    """Return the answer once it contains `text`."""
    for _ in range(600):
        answer = httpx.get(url, timeout=5)
        if text in answer.text:
            return answer.text
        time.sleep(0.1)
    raise AssertionError(f"{answer.status_code} {answer.text}")


def test_it_is_measured_and_removed_and_nobody_else_notices(node: Node, url: str) -> None:
    neighbour = until(url, "neighbour")
    command(node, "up")
    until(url + ROUTE, ANSWER.decode())
    endpoint = Endpoint(url + ROUTE, "", lambda: (b'{"a":1}', ANSWER), rows=0)
    figures = asyncio.run(run(endpoint, 4, seconds=0.5, warm_up_s=0.2))
    assert figures.failures == {}
    assert figures.requests >= 4
    assert httpx.get(url, timeout=5).text == neighbour
    roles = {memory.role for memory in memory_by_role(node.home)}
    assert {"Noop", "Neighbour", "HAProxy", "Ray raylet", "Ray GCS", "Serve controller"} <= roles

    command(node, "down")
    assert until(url + ROUTE, "neighbour") == neighbour
    command(node, "down")  # twice is no error

    from ray import serve

    assert APPLICATION not in serve.status().applications
