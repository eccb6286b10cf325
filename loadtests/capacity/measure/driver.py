"""Loads on running nodes, with the processor time that they take by role."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil

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
from loadtests.capacity.measure.exposition import mean, scrape, total
from loadtests.capacity.measure.usage import CLIENT, Usage, Watch
from loadtests.capacity.runs import CLOSED, MeasuredRun

Figures = closed_loop.Figures | open_loop.OpenFigures

IDLE_S = 3.0
_MOST_LOOKS = 6
_STAGES = (PARSE, LIMIT, WAIT, FEATURES, REDIS, ASSEMBLE, VOTES, COMBINE, EXPLAIN, LOG, REPLY)
_SETTLE_S = 2.0
_FLUSHED_S = 0.5
"""Metrics are written every quarter of a second."""


@dataclass(frozen=True, slots=True)
class Node:
    """A running node.

    Attributes:
        app: its front and its processes.
        metrics_url: base URL of its own metrics.
    """

    app: App
    metrics_url: str


class Driver:
    """Puts loads on nodes that share this computer, and measures.

    Args:
        nodes: at least one.
        stores: returns the processes of PostgreSQL and Redis.

    Attributes:
        watch: of all these processes.
    """

    def __init__(
        self, nodes: Sequence[Node], stores: Callable[[], Iterable[psutil.Process]]
    ) -> None:
        self.watch = Watch(
            lambda: [*(p for node in nodes for p in node.app.processes()), *stores()]
        )
        self._nodes = nodes
        self._idle: Mapping[str, float] = {}

    async def learn_idle(self) -> Mapping[str, float]:
        """Return role -> cores that it uses while nothing is asked."""
        self.watch.look()
        lowest = await self._cores()
        for _ in range(_MOST_LOOKS):
            # Records of what came before are on their way for a while.
            found = await self._cores()
            if sum(found.values()) > 0.9 * sum(lowest.values()):
                break
            lowest = found
        self._idle = lowest | {CLIENT: 0.0}
        return self._idle

    async def _cores(self) -> dict[str, float]:
        before, began = self.watch.read(), time.perf_counter()
        await asyncio.sleep(IDLE_S)
        took_s = time.perf_counter() - began
        used = self.watch.read().since(before).by_role
        return {role: s / took_s for role, s in used.items()}

    async def run(self, mode: str, amount: int, seconds: float) -> MeasuredRun:
        """Measure a load, spread over the nodes. Latencies are means over the nodes.

        Raises:
            RuntimeError: a request failed.
        """
        self.watch.look()
        text, used, began = self._scrape(), self.watch.read(), time.perf_counter()
        figures = await asyncio.gather(*self._loads(mode, amount, seconds))
        loaded, loaded_s = self.watch.read(), time.perf_counter() - began
        failures = [found.failures for found in figures if found.failures]
        if failures:
            raise RuntimeError(f"{mode} {amount}: failures {failures}")
        await asyncio.sleep(_FLUSHED_S)
        after = self._scrape()
        await asyncio.sleep(_SETTLE_S)
        whole, whole_s = self.watch.read(), time.perf_counter() - began
        answered = sum(found.answered for found in figures)
        own = whole.since(used).by_role
        return MeasuredRun(
            mode,
            amount,
            nodes=len(self._nodes),
            cores=float(os.cpu_count() or 1),
            other_cores=max(0.0, _others_s(loaded.since(used)) / loaded_s),
            per_s=sum(found.per_s for found in figures),
            p50_ms=_mean([found.p50_ms for found in figures]),
            p90_ms=_mean([found.p90_ms for found in figures]),
            p99_ms=_mean([found.p99_ms for found in figures]),
            rows=mean(text, after, "fraud_batch_rows"),
            cpu_ms={
                role: max(0.0, s - self._idle.get(role, 0.0) * whole_s) * 1000 / answered
                for role, s in own.items()
            },
            stage_ms={
                stage: 1000 * mean(text, after, "fraud_stage_seconds", stage=stage)
                for stage in _STAGES
                if total(after, "fraud_stage_seconds_count", stage=stage)
            },
        )

    def _loads(self, mode: str, amount: int, seconds: float) -> list[asyncio.Task[Figures]]:
        n = len(self._nodes)
        found: list[asyncio.Task[Figures]] = []
        for i, node in enumerate(self._nodes):
            if mode == CLOSED:
                # As many on each, the rest on the first ones.
                own = amount // n + (i < amount % n)
                work = closed_loop.run(node.app.single(), max(1, own), seconds)
                found.append(asyncio.create_task(work))
            else:
                opened = open_loop.run(node.app.single(), amount / n, seconds)
                found.append(asyncio.create_task(opened))
        return found

    def _scrape(self) -> str:
        return "\n".join(scrape(node.metrics_url) for node in self._nodes)


def _others_s(used: Usage) -> float:
    return used.machine_s - sum(used.by_role.values())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
