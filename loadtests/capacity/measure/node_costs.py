"""Processor time of a decision by role, its stages and its bytes, on the running Quorum."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from loadtests.bench.app import App
from loadtests.bench.launch import store_processes
from loadtests.bench.rounds import say
from loadtests.capacity.measure.driver import Driver, Node
from loadtests.capacity.runs import MeasuredRun
from loadtests.target import Target
from loadtests.wire import Requests


@dataclass(frozen=True, slots=True)
class NodeCosts:
    """What was measured on one node.

    Attributes:
        runs: one for each load.
        idle_cores: role -> cores that it uses while nothing is asked.
        processes: role -> number of processes.
        request_bytes, answer_bytes: of one decision over HTTP, heads included.
    """

    runs: Sequence[MeasuredRun]
    idle_cores: Mapping[str, float]
    processes: Mapping[str, int]
    request_bytes: int
    answer_bytes: int


async def measure_node(
    app: App, target: Target, loads: Sequence[tuple[str, int]], seconds: float
) -> NodeCosts:
    """Measure the Quorum at `target` under each load of (mode, amount).

    Raises:
        OSError: it does not answer.
        RuntimeError: a request failed.
    """
    asked, answered = await one_exchange(app)
    driver = Driver([Node(app, target.url)], lambda: store_processes(target.home))
    idle = await driver.learn_idle()
    runs = []
    for mode, amount in loads:
        run = await driver.run(mode, amount, seconds)
        say(
            f"{run.name}: {run.per_s:,.0f}/s, p50 {run.p50_ms:.1f} p99 {run.p99_ms:.1f} ms, "
            f"{run.rows:.1f} rows, {sum(run.cpu_ms.values()):.2f} ms CPU, "
            f"others {run.other_cores:.2f} cores"
        )
        runs.append(run)
    return NodeCosts(runs, idle, dict(driver.watch.counts()), asked, answered)


async def one_exchange(app: App) -> tuple[int, int]:
    """Return the bytes of a request and of its answer."""
    endpoint = app.single()
    parts = urlsplit(endpoint.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    request, _ = Requests(endpoint).make()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)
    writer.close()
    return len(request), len(head) + length
