"""Measured runs beside simulated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadtests.capacity.constants import Constants
from loadtests.capacity.model.roles import VARIANT
from loadtests.capacity.runs import CLOSED, MeasuredRun
from loadtests.capacity.simulation.cluster import Layout
from loadtests.capacity.simulation.run import SimulatedRun, simulate

PER_S, P50, P99 = "decisions/s", "p50 ms", "p99 ms"
TOLERANCE = {PER_S: 1.3, P50: 1.5, P99: 2.5}
"""Measure -> largest factor between what is simulated and what is measured, either way."""
QUIET_CORES = 0.25
"""While other work takes more than this, the 99th percentile and the latency of an open loop tell
about that work: it comes in bursts, and requests pile up in each."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of a run.

    Attributes:
        load: of the run.
        measure: a key of `TOLERANCE`.
        measured, simulated: > 0.
        counts: whether it must be within the tolerance.
    """

    load: str
    measure: str
    measured: float
    simulated: float
    counts: bool = True

    @property
    def ratio(self) -> float:
        """What is simulated over what is measured."""
        return self.simulated / self.measured

    @property
    def holds(self) -> bool:
        """Whether it is within the tolerance, or need not be."""
        most = TOLERANCE[self.measure]
        return not self.counts or 1 / most <= self.ratio <= most

    @property
    def verdict(self) -> str:
        """`holds` as text."""
        if not self.counts:
            return "beside other work"
        return "" if self.holds else "OUTSIDE"


def compare(
    runs: Sequence[MeasuredRun], constants: Constants, seconds: float = 5.0
) -> list[Comparison]:
    """Simulate measured runs on the machine that they shared, and return the figures side by side.

    What other work on the machine took meanwhile competes on the simulated machine too. Variants
    that a run did not ask are left out.
    """
    found: list[Comparison] = []
    for run in runs:
        asked = tuple(role for role in run.cpu_ms if role.startswith(VARIANT))
        layout = replace(layout_of(run), variants=asked)
        figures = simulate(constants, layout, run.mode, run.amount, seconds)
        is_quiet = run.other_cores <= QUIET_CORES
        found += [
            Comparison(run.name, measure, *pair, counts=is_quiet or _is_steady(run, measure))
            for measure, pair in _pairs(run, figures).items()
        ]
    return found


def layout_of(run: MeasuredRun) -> Layout:
    """Return the layout that a run was measured on."""
    return Layout(
        nodes=run.nodes, cores=run.cores, shared=True, other_cores=run.other_cores, lanes=1
    )


def _is_steady(run: MeasuredRun, measure: str) -> bool:
    return measure == PER_S or (measure == P50 and run.mode == CLOSED)


def _pairs(run: MeasuredRun, figures: SimulatedRun) -> dict[str, tuple[float, float]]:
    return {
        PER_S: (run.per_s, figures.per_s),
        P50: (run.p50_ms, figures.p50_ms),
        P99: (run.p99_ms, figures.p99_ms),
    }
