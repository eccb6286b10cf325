"""One simulated run: a load on a cluster, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from loadtests.capacity.constants import Constants
from loadtests.capacity.runs import CLOSED
from loadtests.capacity.simulation.cluster import Cluster, Layout
from loadtests.capacity.simulation.engine import Clock

_WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """The figures of a run.

    Attributes:
        per_s: decisions a second.
        p50_ms, p90_ms, p99_ms: latency of a request; NaN without any.
        rows: mean rows of a micro-batch.
        busy: machine -> share of its processors in use, other work included, in [0, 1].
        processes: role -> share of the time that its busiest process works, in [0, 1].
        most_queued: most rows that have waited for a lane at one node.
        backlog: records that PostgreSQL lacks at the end.
        refused: requests that found a full queue.
    """

    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    rows: float
    busy: Mapping[str, float]
    processes: Mapping[str, float]
    most_queued: int
    backlog: int
    refused: int

    @property
    def busiest(self) -> str:
        """The process or machine that works most: what saturates first."""
        shares = {**self.processes, **self.busy}
        return max(shares, key=lambda name: shares[name])


def simulate(
    constants: Constants,
    layout: Layout,
    mode: str,
    amount: int,
    seconds: float = 5.0,
    seed: int = 1,
) -> SimulatedRun:
    """Simulate a load, after a second that does not count.

    Args:
        constants: measured costs.
        layout: the machines.
        mode, amount: see `MeasuredRun`. Connections are spread evenly over the nodes; requests a
            second come at random (a Poisson process).
        seconds: simulated time that counts, > 0.
        seed: of everything random.
    """
    clock = Clock()
    cluster = Cluster(clock, layout, constants, seed)
    drive = _Drive(cluster)
    if mode == CLOSED:
        for connection in range(amount):
            drive.keep_asking(connection)
    else:
        drive.offer(amount, _WARM_UP_S + seconds, seed)
    clock.run(_WARM_UP_S)
    busy = {name: machine.busy_s for name, machine in cluster.machines.items()}
    used = _used(cluster)
    rows, batches = _counted(cluster)
    drive.begin()
    clock.run(_WARM_UP_S + seconds)
    rows, batches = (b - a for a, b in zip((rows, batches), _counted(cluster), strict=True))
    took = np.array(drive.took_s) * 1000
    p50, p90, p99 = np.percentile(took, (50, 90, 99)) if len(took) else (np.nan,) * 3
    return SimulatedRun(
        len(took) / seconds,
        float(p50),
        float(p90),
        float(p99),
        rows / max(1, batches),
        {
            name: (machine.busy_s - busy[name]) / seconds / machine.cores
            for name, machine in cluster.machines.items()
        },
        {name: (after - used[name]) / seconds for name, after in _used(cluster).items()},
        max(node.most_queued for node in cluster.nodes),
        sum(node.backlog for node in cluster.nodes),
        drive.refused,
    )


class _Drive:
    def __init__(self, cluster: Cluster) -> None:
        self.took_s: list[float] = []
        self.refused = 0
        self._cluster = cluster
        self._since_s = np.inf

    def begin(self) -> None:
        """Count from now on."""
        self._since_s = self._cluster.clock.now_s
        self.refused = 0

    def keep_asking(self, connection: int) -> None:
        """Send on a connection, and again after each answer."""
        began_s = self._cluster.clock.now_s

        def answered(decided: bool) -> None:
            self._note(began_s, decided)
            self.keep_asking(connection)

        self._cluster.send(connection, answered)

    def offer(self, per_s: int, seconds: float, seed: int) -> None:
        """Schedule requests at random times."""
        rng = np.random.default_rng((seed, 1))
        for i, at_s in enumerate(np.sort(rng.uniform(0, seconds, round(per_s * seconds))).tolist()):
            self._cluster.clock.at(at_s, partial(self._once, i, at_s))

    def _once(self, connection: int, at_s: float) -> None:
        self._cluster.send(connection, partial(self._note, at_s))

    def _note(self, began_s: float, decided: bool) -> None:
        if self._cluster.clock.now_s < self._since_s:
            return
        if decided:
            self.took_s.append(self._cluster.clock.now_s - began_s)
        else:
            self.refused += 1


def _counted(cluster: Cluster) -> tuple[int, int]:
    nodes = cluster.nodes
    return sum(node.rows for node in nodes), sum(node.batches for node in nodes)


def _used(cluster: Cluster) -> dict[str, float]:
    """Processor time of the busiest process of each role."""
    found = {"Redis": cluster.redis.busy_s}
    for node in cluster.nodes:
        for role, process in node.processes.items():
            found[role] = max(found.get(role, 0.0), process.busy_s)
    return found
