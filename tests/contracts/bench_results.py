"""Runs of a benchmark, for tests of its figures."""

from __future__ import annotations

from loadtests.bench.agreement import Agreement
from loadtests.bench.growth import Growth
from loadtests.bench.medians import medians
from loadtests.bench.results import Results
from loadtests.bench.rounds import BATCH, BATCH_CONNECTIONS, CLOSED, OPEN, Load, Run
from loadtests.bench.targets import targets
from loadtests.memory import RoleMemory

C1, C128, OPEN_1000 = Load(CLOSED, 1), Load(CLOSED, 128), Load(OPEN, 1000)


def run(app: str, load: Load, per_s: float, p50: float = 2.0, **more: object) -> Run:
    fields = {"failures": {}, "degraded": 0.0, "cpu_ms": 0.4} | more
    return Run(app, load, per_s, p50, p50 * 2, p50 * 4, client_cores=0.2, **fields)  # type: ignore[arg-type]


RUNS = [
    run("quorum", C1, 200.0, 3.0),
    run("docs", C1, 20.0, 40.0),
    run("quorum", C128, 3000.0),
    run("quorum", C128, 2000.0, failures={"status 503": 2}),
    run("quorum", C128, 2900.0, degraded=0.5),
    run("tuned", C128, 2000.0),
    run("docs", C128, 50.0),
    run("no-op", C128, 5800.0),
    run("quorum", OPEN_1000, 1000.0, 5.0),
    run("quorum", Load(BATCH, BATCH_CONNECTIONS), 12_000.0),
]
MEDIANS = medians(RUNS)


def results() -> Results:
    return Results(
        {"rounds": "3"},
        targets(MEDIANS, 240.0, 3.0),
        MEDIANS,
        RUNS,
        [Agreement("tuned", 300, 1, 0, 0.25, 20)],
        {"quorum": 2000.0},
        {"quorum": 0.3},
        [RoleMemory("Ingress", 1, 200.4, 150.2), RoleMemory("PostgreSQL", 8, 90.0, 40.0)],
        [Growth("Ingress", 100.0, 103.5)],
    )
