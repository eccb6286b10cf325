"""Processor time by role, as lines over the rows of a micro-batch: fitted to measured runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fraud.stage import LOG
from loadtests.capacity.constants import Constants
from loadtests.capacity.measure.fit import Line, line
from loadtests.capacity.measure.usage import CLIENT, REST
from loadtests.capacity.runs import CLOSED, MeasuredRun

HAPROXY, INGRESS, COMBINER, FEATURE_FETCH = "HAProxy", "Ingress", "Combiner", "FeatureFetch"
REDIS, POSTGRES = "Redis", "PostgreSQL"
VARIANT = "variant-"
_IN_ORDER = (INGRESS, REDIS, COMBINER, FEATURE_FETCH)
"""Roles that work on a micro-batch one after the other, beside the slowest variant and the disk."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What a micro-batch of n rows costs.

    Attributes:
        ms: role -> processor time, milliseconds.
        idle_cores: role -> cores used while nothing is asked.
        log_ms: how long the disk takes, milliseconds.
    """

    ms: Mapping[str, Line]
    idle_cores: Mapping[str, float]
    log_ms: Line

    @classmethod
    def of(cls, constants: Constants) -> Roles:
        """Fit the closed loops of the measured node. Its open loops are for checks."""
        runs = [run for run in constants.node.runs if run.mode == CLOSED]
        names = [name for name in runs[0].cpu_ms if all(name in run.cpu_ms for run in runs)]
        return cls(
            {name: _fitted(runs, [run.cpu_ms[name] * run.rows for run in runs]) for name in names},
            dict(constants.node.idle_cores),
            _fitted(runs, [run.stage_ms[LOG] for run in runs]),
        )

    @property
    def variants(self) -> list[str]:
        """The roles of variants."""
        return [role for role in self.ms if role.startswith(VARIANT)]

    @property
    def on_node(self) -> list[str]:
        """The roles of a serving node: all but the stores and the client."""
        return [role for role in self.ms if role not in (REDIS, POSTGRES, CLIENT)]

    def lane_ms(self, rows: float, factor: float) -> float:
        """Return how long a micro-batch holds a lane where no process waits for a processor,
        milliseconds. Its ingress reads and answers the rows of others meanwhile.

        Args:
            rows: of the micro-batch.
            factor: speed of a processor relative to those of the measurement.
        """
        work = sum(self.ms[role].of(rows) for role in _IN_ORDER)
        slowest = max(self.ms[role].of(rows) for role in self.variants)
        return (work + slowest) / factor + self.log_ms.of(rows)

    def node_idle_cores(self) -> float:
        """Cores that a node uses while nothing is asked."""
        return sum(self.idle_cores.get(role, 0.0) for role in {*self.on_node, REST})


def _fitted(runs: Sequence[MeasuredRun], costs: Sequence[float]) -> Line:
    return line([run.rows for run in runs], [max(cost, 1e-6) for cost in costs])
