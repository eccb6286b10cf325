"""The goals of the hot path, and whether they were reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadtests.bench.app import DOCS, NO_OP, QUORUM, TUNED
from loadtests.bench.medians import Median, find
from loadtests.bench.rounds import BATCH, BATCH_CONNECTIONS, CLOSED, OPEN, Load

C1, C128 = Load(CLOSED, 1), Load(CLOSED, 128)
OPEN_1000 = Load(OPEN, 1000)
BATCHES = Load(BATCH, BATCH_CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Target:
    """A goal.

    Attributes:
        measure: the measure.
        goal: the value to reach.
        unit: of both values.
        at_least: whether more is better.
        found: the measured value, NaN if there is none.
    """

    measure: str
    goal: float
    unit: str
    at_least: bool
    found: float

    @property
    def result(self) -> str:
        """`reached`, `missed` or `not measured`."""
        if math.isnan(self.found):
            return "not measured"
        good = self.found >= self.goal if self.at_least else self.found <= self.goal
        return "reached" if good else "missed"


def targets(medians: Sequence[Median], variant_mib: float, growth_mib: float) -> list[Target]:
    """Return every goal with its measured value.

    Args:
        medians: of all apps under all loads.
        variant_mib: memory of the largest variant replica, NaN if unknown.
        growth_mib: growth of all of Quorum over many decisions, NaN if not measured.
    """

    def ratio(other: str, load: Load, of: Callable[[Median], float]) -> float:
        ours, theirs = find(medians, QUORUM, load), find(medians, other, load)
        if ours is None or theirs is None or not of(theirs):
            return math.nan
        return of(ours) / of(theirs)

    def ours(load: Load, of: Callable[[Median], float]) -> float:
        found = find(medians, QUORUM, load)
        return math.nan if found is None else of(found)

    per_s: Callable[[Median], float] = lambda m: m.per_s  # noqa: E731
    p50: Callable[[Median], float] = lambda m: m.p50_ms  # noqa: E731
    return [
        Target("requests/s at 128 connections, against tuned", 1.0, "x", True,
               ratio(TUNED, C128, per_s)),
        Target("requests/s at 128 connections, against docs", 60.0, "x", True,
               ratio(DOCS, C128, per_s)),
        Target("requests/s at 128 connections, against no-op", 0.5, "x", True,
               ratio(NO_OP, C128, per_s)),
        Target("p50 at 1 connection", 4.0, "ms", False, ours(C1, p50)),
        Target("p50 at 1 connection, against docs", 1 / 7, "x", False, ratio(DOCS, C1, p50)),
        Target("p99 at an open-loop 1,000 req/s", 25.0, "ms", False,
               ours(OPEN_1000, lambda m: m.p99_ms)),
        Target("rows/s through /v1/decisions/batch, 500 rows a request", 15_000, "rows/s", True,
               ours(BATCHES, per_s)),
        Target("CPU a decision at 128 connections", 0.45, "ms", False,
               ours(C128, lambda m: m.cpu_ms)),
        Target("resident memory of a variant replica", 250.0, "MB", False, variant_mib),
        Target("memory growth over the requested decisions", 20.0, "MB", False, growth_mib),
    ]  # fmt: skip
