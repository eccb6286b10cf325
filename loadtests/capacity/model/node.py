"""How much a serving node decides, and what limits it."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.capacity.measure.fit import Line
from loadtests.capacity.model.demand import Hardware
from loadtests.capacity.model.roles import COMBINER, FEATURE_FETCH, HAPROXY, INGRESS, Roles

MAX_ROWS = 256
"""`QUORUM_MAX_ROWS_PER_CALL`."""
SINGLE = (HAPROXY, INGRESS, COMBINER, FEATURE_FETCH)
"""Roles that have one process of one thread on each node. Variants get further replicas by load."""
_MEASURED_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class NodeUse:
    """A node at some load.

    Attributes:
        per_s: decisions a second.
        rows: mean rows of a micro-batch.
        cores: processors in use, idling included.
        roles: role -> cores.
    """

    per_s: float
    rows: float
    cores: float
    roles: dict[str, float]


class NodeModel:
    """A serving node with one process of each role.

    Args:
        roles: measured costs.
        hardware: its processors.
        variants: variants that each decision asks.
        lanes: micro-batches in flight from its ingress; Quorum takes one on two processors, two on
            more.
    """

    def __init__(self, roles: Roles, hardware: Hardware, variants: int, lanes: int | None = None):
        self._roles = roles
        self._hardware = hardware
        self._variants = variants / _MEASURED_VARIANTS
        self._lanes = lanes if lanes is not None else 1 if hardware.node_cores <= 2 else 2

    def rows(self, per_s: float) -> float:
        """Return the mean rows of a micro-batch. What arrives while a lane is held leaves together:
        `n = per_s * T(n) / lanes`, where `T` is how long a lane is held."""
        low, high = 1.0, float(MAX_ROWS)
        for _ in range(40):
            middle = (low + high) / 2
            arrived = per_s / 1000 * self._lane_ms(middle) / self._lanes
            low, high = (middle, high) if arrived > middle else (low, middle)
        return low

    def at(self, per_s: float) -> NodeUse:
        """Return a node's use at a rate."""
        rows = self.rows(per_s)
        cores = {
            role: self._scaled(role, self._roles.ms[role]).each(rows) * per_s / 1000
            for role in self._roles.on_node
        }
        idle = self._roles.node_idle_cores() / self._hardware.factor
        return NodeUse(per_s, rows, sum(cores.values()) + idle, cores)

    def limits(self, use: NodeUse) -> dict[str, float]:
        """Return name -> share of the planned use, > 1 where it is exceeded."""
        most = self._hardware.use
        found = {role: use.roles[role] / most for role in SINGLE}
        found["processors of a node"] = use.cores / (most * self._hardware.node_cores)
        # A fuller lane only makes larger micro-batches, until they are the largest.
        most_per_s = self._lanes * MAX_ROWS / self._lane_ms(MAX_ROWS) * 1000
        found["lanes"] = use.per_s / most_per_s / most
        return found

    def most(self) -> tuple[NodeUse, str]:
        """Return a node at its highest planned load, and what limits it."""
        low, high = 1.0, 1.0
        while max(self.limits(self.at(high)).values()) < 1 and high < 1e6:
            high *= 2
        for _ in range(50):
            middle = (low + high) / 2
            if max(self.limits(self.at(middle)).values()) < 1:
                low = middle
            else:
                high = middle
        limits = self.limits(self.at(high))
        return self.at(low), max(limits, key=lambda name: limits[name])

    def _scaled(self, role: str, line: Line) -> Line:
        by = (self._variants if role in self._roles.variants else 1.0) / self._hardware.factor
        return Line(line.call * by, line.row * by)

    def _lane_ms(self, rows: float) -> float:
        return self._roles.lane_ms(rows, self._hardware.factor)
