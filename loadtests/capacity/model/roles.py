"""Processor time by role, as lines over the rows of a micro-batch: fitted to measured runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fraud.stage import COMBINE, EXPLAIN, FEATURES, LIMIT, LOG, VOTES
from loadtests.capacity.constants import Constants
from loadtests.capacity.measure.fit import Line, line
from loadtests.capacity.measure.usage import CLIENT, REST
from loadtests.capacity.runs import CLOSED, MeasuredRun

HAPROXY, INGRESS, COMBINER, FEATURE_FETCH = "HAProxy", "Ingress", "Combiner", "FeatureFetch"
REDIS, POSTGRES = "Redis", "PostgreSQL"
VARIANT = "variant-"
_IN_ORDER = (LIMIT, FEATURES, VOTES, COMBINE, EXPLAIN, LOG)
"""Stages of a micro-batch, one after the other, while it holds a lane."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What a micro-batch of n rows costs.

    Attributes:
        ms: role -> processor time, milliseconds.
        idle_cores: role -> cores used while nothing is asked.
        lane_ms: how long it holds a lane, milliseconds, on two busy processors.
        log_ms: how long the disk takes, milliseconds.
    """

    ms: Mapping[str, Line]
    idle_cores: Mapping[str, float]
    lane_ms: Line
    log_ms: Line

    @classmethod
    def of(cls, constants: Constants) -> Roles:
        """Fit the closed loops of the measured node. Its open loops are for checks."""
        runs = [run for run in constants.node.runs if run.mode == CLOSED]
        names = [name for name in runs[0].cpu_ms if all(name in run.cpu_ms for run in runs)]
        return cls(
            {name: _fitted(runs, [run.cpu_ms[name] * run.rows for run in runs]) for name in names},
            dict(constants.node.idle_cores),
            _fitted(runs, [sum(run.stage_ms.get(s, 0.0) for s in _IN_ORDER) for run in runs]),
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

    def node_idle_cores(self) -> float:
        """Cores that a node uses while nothing is asked."""
        return sum(self.idle_cores.get(role, 0.0) for role in {*self.on_node, REST})


def _fitted(runs: Sequence[MeasuredRun], costs: Sequence[float]) -> Line:
    return line([run.rows for run in runs], [max(cost, 1e-6) for cost in costs])
