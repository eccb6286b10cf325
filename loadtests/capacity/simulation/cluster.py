"""The way of a decision through a simulated cluster.

Processes of one thread share the processors of their machine. Requests pass HAProxy and the ingress
one by one and gather at the coalescer, which has no timer: when a lane is free, all leave together.
A micro-batch then visits Redis, the combiner, features, Redis, the variants side by side, the
combiner and the disk. Records are shipped later by the combiner, and cost PostgreSQL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from loadtests.capacity.constants import Constants
from loadtests.capacity.measure.fit import Line
from loadtests.capacity.measure.usage import CLIENT, REST
from loadtests.capacity.model.roles import (
    COMBINER,
    FEATURE_FETCH,
    HAPROXY,
    INGRESS,
    POSTGRES,
    REDIS,
    Roles,
)
from loadtests.capacity.simulation.engine import Clock, Machine, Process, Then

MAX_ROWS = 256
"""`QUORUM_MAX_ROWS_PER_CALL`."""
MAX_QUEUED = 4096
"""`QUORUM_MAX_QUEUED_ROWS`."""
LINGER_S, SHIP_ROWS = 0.25, 500
"""`decision_log/shipping/shipper.py`."""
_ADMIT_SHARE = 0.25
"""Share of Redis' time for the rate limits; the rest is for the features."""
_NOISE = 0.35
"""Coefficient of variation of a piece of work."""
_AFTER = 0.4
"""Share of the combiner's work that no answer waits for: it writes to the disk, whose time is
counted as such, and counts and shadows follow the answer."""
_DRAWN = 4096
_PIECE_S = 0.01
"""Mean of a piece of other work on a machine."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The machines.

    Attributes:
        nodes: serving nodes.
        cores: processors of each node; of all together if `shared`.
        shared: all nodes, stores and the client are on one machine, as in the project's tests.
        other_cores: what other work takes, of each node.
        store_cores: processors of PostgreSQL's machine, if it is not shared.
        lanes: micro-batches in flight from an ingress.
        variants: roles of the variants that each decision asks; (): all that were measured.
    """

    nodes: int = 1
    cores: float = 2.0
    shared: bool = True
    other_cores: float = 0.0
    store_cores: float = 8.0
    lanes: int = 1
    variants: tuple[str, ...] = ()


class Cluster:
    """A cluster in simulated time.

    Args:
        clock: the time.
        layout: the machines.
        constants: measured costs.
        seed: of the noise.
    """

    def __init__(self, clock: Clock, layout: Layout, constants: Constants, seed: int) -> None:
        roles = Roles.of(constants)
        self.clock = clock
        self.noise = _Noise(seed)
        if layout.variants:
            left_out = set(roles.variants) - set(layout.variants)
            costs = {role: cost for role, cost in roles.ms.items() if role not in left_out}
            roles = replace(roles, ms=costs)
        if not layout.shared:
            # What Redis costs by itself: beside nodes on two processors, it waits for its caches.
            own = constants.redis.cpu_us
            alone = Line(own.call / 1000, own.row / 1000)
            roles = replace(roles, ms={**roles.ms, REDIS: alone})
        self.roles = roles
        self.ship_us = constants.postgres.client_us
        self.postgres_us = constants.postgres.cpu_us
        idle = roles.node_idle_cores()
        if layout.shared:
            shared = Machine(clock, layout.cores)
            self.machines = {"machine": shared}
            machines = [shared] * layout.nodes
            redis = postgres = client = shared
            # One Ray node idles as much as another; the stores are few.
            others = {shared: layout.other_cores + layout.nodes * idle}
        else:
            machines = [Machine(clock, layout.cores) for _ in range(layout.nodes)]
            redis, postgres = Machine(clock, 1.0), Machine(clock, layout.store_cores)
            client = Machine(clock, 1000.0)
            self.machines = {f"node {i}": machine for i, machine in enumerate(machines)}
            self.machines |= {REDIS: redis, POSTGRES: postgres}
            others = dict.fromkeys(machines, layout.other_cores + idle)
        rng = np.random.default_rng((seed, 2))
        for machine, cores in others.items():
            _work_beside(clock, machine, cores, rng)
        self.redis = Process(redis)
        self.client = [Process(client) for _ in range(1 if layout.shared else 64)]
        self.nodes = [Node(self, machine, postgres, layout.lanes) for machine in machines]

    def send(self, connection: int, answered: Callable[[bool], None]) -> None:
        """Send a request on a connection, of which each node has as many; `answered` gets whether
        it was decided."""
        client = self.client[connection % len(self.client)]
        work = self.work(CLIENT, 1, 0.5)
        node = self.nodes[connection % len(self.nodes)]

        def back(decided: bool) -> None:
            client.do(self.work(CLIENT, 1, 0.5), partial(answered, decided))

        client.do(work, partial(node.request, back))

    def work(self, role: str, rows: float, share: float = 1.0) -> float:
        """Seconds of processor time of a role for a micro-batch, with noise."""
        return self.roles.ms[role].of(rows) * share * self.noise.next() / 1000


class Node:
    """A serving node: one process of each role.

    Attributes:
        rows: rows of all micro-batches so far.
        batches: number of micro-batches so far.
        most_queued: most rows that have waited for a lane.
    """

    def __init__(self, cluster: Cluster, machine: Machine, postgres: Machine, lanes: int) -> None:
        self.rows = self.batches = self.most_queued = 0
        self._cluster = cluster
        self._lanes = lanes
        self._queue: deque[Callable[[bool], None]] = deque()
        self._to_ship = 0
        self._is_shipping = False
        self.processes = {role: Process(machine) for role in cluster.roles.on_node if role != REST}
        # Each shipper has a connection, and so a process of its own in PostgreSQL.
        self.processes[POSTGRES] = Process(postgres)

    def request(self, back: Callable[[bool], None]) -> None:
        """Take a request; `back` is called with whether it was decided."""
        proxy = self.processes[HAPROXY]
        then = partial(self._parse, lambda ok: proxy.do(self._row(HAPROXY), partial(back, ok)))
        proxy.do(self._row(HAPROXY), then)

    def _row(self, role: str) -> float:
        """Half of the work for one row: once on the way in, once on the way out."""
        line = self._cluster.roles.ms[role]
        return (line.row + (line.call if role == HAPROXY else 0.0)) / 2000 * self._noise()

    def _call(self, role: str, rows: int, share: float) -> float:
        return self._cluster.work(role, rows, share)

    def _noise(self) -> float:
        return self._cluster.noise.next()

    def _parse(self, back: Callable[[bool], None]) -> None:
        self.processes[INGRESS].do(self._row(INGRESS), partial(self._enqueue, back))

    def _enqueue(self, back: Callable[[bool], None]) -> None:
        if len(self._queue) >= MAX_QUEUED:
            back(False)
            return
        self._queue.append(back)
        self.most_queued = max(self.most_queued, len(self._queue))
        self._dispatch()

    def _dispatch(self) -> None:
        while self._lanes and self._queue:
            self._lanes -= 1
            n = min(len(self._queue), MAX_ROWS)
            group = [self._queue.popleft() for _ in range(n)]
            self.rows, self.batches = self.rows + n, self.batches + 1
            self._start(group)

    def _start(self, group: list[Callable[[bool], None]]) -> None:
        cluster, own, n = self._cluster, self.processes, len(group)
        ingress = cluster.roles.ms[INGRESS].call / 2000
        combiner = _decide_line(cluster)

        def combine(share: float) -> float:
            return max(0.0, combiner.of(n)) * share * self._noise() / 1000

        steps: list[Callable[[Then], None]] = [
            lambda then: own[INGRESS].do(ingress * self._noise(), then),
            lambda then: cluster.redis.do(self._call(REDIS, n, _ADMIT_SHARE), then),
            lambda then: own[INGRESS].do(ingress * self._noise(), then),
            lambda then: own[COMBINER].do(combine((1 - _AFTER) / 2), then),
            lambda then: own[FEATURE_FETCH].do(self._call(FEATURE_FETCH, n, 0.5), then),
            lambda then: cluster.redis.do(self._call(REDIS, n, 1 - _ADMIT_SHARE), then),
            lambda then: own[FEATURE_FETCH].do(self._call(FEATURE_FETCH, n, 0.5), then),
            lambda then: self._vote(n, then),
            lambda then: own[COMBINER].do(combine((1 - _AFTER) / 2), then),
            lambda then: cluster.clock.after(
                cluster.roles.log_ms.of(n) * self._noise() / 1000, then
            ),
        ]

        def end() -> None:
            self._end(group)
            own[COMBINER].do(combine(_AFTER), lambda: None)

        self._follow(steps, end)

    def _follow(self, steps: list[Callable[[Then], None]], then: Then) -> None:
        if steps:
            steps[0](partial(self._follow, steps[1:], then))
        else:
            then()

    def _vote(self, rows: int, then: Then) -> None:
        left = len(self._cluster.roles.variants)

        def voted() -> None:
            nonlocal left
            left -= 1
            if not left:
                then()

        for role in self._cluster.roles.variants:
            self.processes[role].do(self._call(role, rows, 1.0), voted)

    def _end(self, group: list[Callable[[bool], None]]) -> None:
        self._to_ship += len(group)
        if not self._is_shipping:
            self._is_shipping = True
            self._cluster.clock.after(LINGER_S, self._ship)
        for back in group:
            self.processes[INGRESS].do(self._row(INGRESS), partial(back, True))
        self._lanes += 1
        self._dispatch()

    def _ship(self) -> None:
        rows = min(self._to_ship, SHIP_ROWS)
        self._to_ship -= rows
        cluster = self._cluster
        ours_s = cluster.ship_us.of(rows) / 1e6

        def shipped() -> None:
            if self._to_ship:
                full = self._to_ship >= SHIP_ROWS
                cluster.clock.after(0.0 if full else LINGER_S, self._ship)
            else:
                self._is_shipping = False

        # PostgreSQL's cost was measured per micro-batch of decisions; a transaction holds many.
        theirs_s = _postgres_s(cluster, rows)
        self.processes[COMBINER].do(ours_s, lambda: self.processes[POSTGRES].do(theirs_s, shipped))

    @property
    def backlog(self) -> int:
        """Records that PostgreSQL does not have yet."""
        return self._to_ship


def _work_beside(clock: Clock, machine: Machine, cores: float, rng: np.random.Generator) -> None:
    """Keep `cores` of a machine busy on average: pieces of work that come at random and compete
    with everything else."""
    if cores <= 0:
        return

    def come() -> None:
        machine.run(float(rng.exponential(_PIECE_S)), lambda: None)
        clock.after(float(rng.exponential(_PIECE_S / cores)), come)

    come()


def _decide_line(cluster: Cluster) -> Line:
    """The combiner's cost without shipping, which happens later."""
    line = cluster.roles.ms[COMBINER]
    return Line(line.call, max(line.row / 4, line.row - cluster.ship_us.row / 1000))


def _postgres_s(cluster: Cluster, rows: int) -> float:
    return cluster.postgres_us.of(rows) / 1e6


class _Noise:
    """Factors with mean 1, gamma distributed; drawn in advance, as one draw is slow."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._values: list[float] = []

    def next(self) -> float:
        """Return the next factor."""
        if not self._values:
            shape = 1 / _NOISE**2
            self._values = self._rng.gamma(shape, 1 / shape, _DRAWN).tolist()
        return self._values.pop()
