"""Processor time of a decision by role, its stages and its bytes, on the running Quorum."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fraud.stage import (
    ASSEMBLE,
    COMBINE,
    EXPLAIN,
    FEATURES,
    LIMIT,
    LOG,
    PARSE,
    REDIS,
    REPLY,
    VOTES,
    WAIT,
)
from loadtests import closed_loop, open_loop
from loadtests.bench.app import App
from loadtests.bench.launch import store_processes
from loadtests.bench.rounds import say
from loadtests.capacity.measure.exposition import mean, scrape, total
from loadtests.capacity.measure.usage import CLIENT, Usage, Watch
from loadtests.capacity.runs import CLOSED, MeasuredRun
from loadtests.target import Target
from loadtests.wire import Requests

IDLE_S = 4.0
_STAGES = (PARSE, LIMIT, WAIT, FEATURES, REDIS, ASSEMBLE, VOTES, COMBINE, EXPLAIN, LOG, REPLY)
_SETTLE_S = 2.0
_FLUSHED_S = 0.5
"""Metrics are written every quarter of a second."""


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
    watch = Watch(lambda: [*app.processes(), *store_processes(target.home)])
    asked, answered = await _one_exchange(app)
    watch.look()
    before, began = watch.read(), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    took_s = time.perf_counter() - began
    idle = {role: s / took_s for role, s in watch.read().since(before).by_role.items()}
    idle[CLIENT] = 0.0
    runs = []
    for mode, amount in loads:
        watch.look()
        run = await _run(app, target, watch, idle, mode, amount, seconds)
        say(
            f"{run.name}: {run.per_s:,.0f}/s, p50 {run.p50_ms:.1f} p99 {run.p99_ms:.1f} ms, "
            f"{run.rows:.1f} rows, {sum(run.cpu_ms.values()):.2f} ms CPU, "
            f"others {run.other_cores:.2f} cores"
        )
        runs.append(run)
    return NodeCosts(runs, idle, dict(watch.counts()), asked, answered)


async def _run(
    app: App,
    target: Target,
    watch: Watch,
    idle: Mapping[str, float],
    mode: str,
    amount: int,
    seconds: float,
) -> MeasuredRun:
    text, used, began = scrape(target.url), watch.read(), time.perf_counter()
    drive = closed_loop.run if mode == CLOSED else open_loop.run
    figures = await drive(app.single(), amount, seconds)
    loaded, loaded_s = watch.read(), time.perf_counter() - began
    if figures.failures:
        raise RuntimeError(f"{mode} {amount}: failures {figures.failures}")
    await asyncio.sleep(_FLUSHED_S)
    after = scrape(target.url)
    await asyncio.sleep(_SETTLE_S)
    whole, whole_s = watch.read(), time.perf_counter() - began
    own = whole.since(used).by_role
    to_ms = 1000 / max(1, figures.answered)
    cpu_ms = {role: max(0.0, s - idle.get(role, 0.0) * whole_s) * to_ms for role, s in own.items()}
    return MeasuredRun(
        mode,
        amount,
        nodes=1,
        cores=float(os.cpu_count() or 1),
        other_cores=max(0.0, _others_s(loaded.since(used)) / loaded_s),
        per_s=figures.per_s,
        p50_ms=figures.p50_ms,
        p90_ms=figures.p90_ms,
        p99_ms=figures.p99_ms,
        rows=mean(text, after, "fraud_batch_rows"),
        cpu_ms=cpu_ms,
        stage_ms={
            stage: 1000 * mean(text, after, "fraud_stage_seconds", stage=stage)
            for stage in _STAGES
            if total(after, "fraud_stage_seconds_count", stage=stage)
        },
    )


def _others_s(used: Usage) -> float:
    return used.machine_s - sum(used.by_role.values())


async def _one_exchange(app: App) -> tuple[int, int]:
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
