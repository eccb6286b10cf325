"""Medians over the rounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.bench.rounds import Load, Run


@dataclass(frozen=True, slots=True)
class Median:
    """An app under a load.

    Attributes:
        app, load: the app, and the load that it was under.
        per_s, p50_ms, p90_ms, p99_ms, cpu_ms, client_cores: medians of the rounds' figures.
        least_per_s, most_per_s: the slowest and the fastest round.
        failures: of all rounds together.
        degraded: share of degraded decisions in the worst round.
    """

    app: str
    load: Load
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms: float
    client_cores: float
    least_per_s: float
    most_per_s: float
    failures: int
    degraded: float


def medians(runs: Iterable[Run]) -> list[Median]:
    """Return the medians, in the order in which they were first measured."""
    grouped: dict[tuple[str, Load], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.app, run.load), []).append(run)
    return [_median(app, load, those) for (app, load), those in grouped.items()]


def find(found: Iterable[Median], app: str, load: Load) -> Median | None:
    """Return the median of an app under a load, None if it was not measured."""
    return next((m for m in found if (m.app, m.load) == (app, load)), None)


def ratio(found: Sequence[Median], app: str, other: str, load: Load) -> float | None:
    """Return the speed of `app` divided by that of `other`, None if either was not measured."""
    ours, theirs = find(found, app, load), find(found, other, load)
    if ours is None or theirs is None or not theirs.per_s:
        return None
    return ours.per_s / theirs.per_s


def _median(app: str, load: Load, runs: Sequence[Run]) -> Median:
    speeds = [run.per_s for run in runs]
    return Median(
        app,
        load,
        median(speeds),
        median(run.p50_ms for run in runs),
        median(run.p90_ms for run in runs),
        median(run.p99_ms for run in runs),
        median(run.cpu_ms for run in runs),
        median(run.client_cores for run in runs),
        min(speeds),
        max(speeds),
        sum(sum(run.failures.values()) for run in runs),
        max(run.degraded for run in runs),
    )
