"""Medians, ratios, goals, tables, the picture and the document of a benchmark."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from loadtests.bench.agreement import Agreement
from loadtests.bench.found import Found
from loadtests.bench.growth import Growth, compare, total_mib
from loadtests.bench.medians import find, medians, ratio
from loadtests.bench.picture import curves, draw
from loadtests.bench.rounds import BATCH, BATCH_CONNECTIONS, CLOSED, OPEN, Load, Run
from loadtests.bench.table import markdown
from loadtests.bench.targets import Target, targets
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


def test_medians_over_rounds() -> None:
    found = find(MEDIANS, "quorum", C128)
    assert found is not None
    assert (found.per_s, found.least_per_s, found.most_per_s) == (2900.0, 2000.0, 3000.0)
    assert (found.failures, found.degraded) == (2, 0.5)
    assert find(MEDIANS, "quorum", Load(CLOSED, 7)) is None


def test_ratios() -> None:
    assert ratio(MEDIANS, "quorum", "tuned", C128) == pytest.approx(1.45)
    assert ratio(MEDIANS, "quorum", "tuned", C1) is None


def test_goals() -> None:
    found = {target.measure: target for target in targets(MEDIANS, 260.0, math.nan)}
    verdicts = {measure: target.verdict for measure, target in found.items()}
    assert verdicts == {
        "requests/s at 128 connections, against tuned": "reached",
        "requests/s at 128 connections, against docs": "missed",
        "requests/s at 128 connections, against no-op": "reached",
        "p50 at 1 connection": "reached",
        "p50 at 1 connection, against docs": "reached",
        "p99 at an open-loop 1,000 req/s": "reached",
        "rows/s through /v1/decisions/batch, 500 rows a request": "missed",
        "CPU a decision at 128 connections": "reached",
        "resident memory of a variant replica": "missed",
        "memory growth over the decisions asked for": "not measured",
    }
    assert found["requests/s at 128 connections, against docs"].found == pytest.approx(58.0)


def test_a_goal_that_is_met_exactly_is_reached() -> None:
    assert Target("m", 1.0, "x", True, 1.0).verdict == "reached"
    assert Target("m", 1.0, "x", False, 1.0).verdict == "reached"


def test_growth_leaves_out_what_keeps_decisions_by_design() -> None:
    before = [RoleMemory("Ingress", 1, 100.0, None), RoleMemory("Redis", 1, 10.0, None)]
    after = [RoleMemory("Redis", 1, 500.0, None), RoleMemory("Ingress", 1, 103.0, None)]
    growth = compare(before, after)
    assert growth == [Growth("Ingress", 100.0, 103.0), Growth("Redis", 10.0, 500.0)]
    assert total_mib(growth) == 3.0


def found() -> Found:
    return Found(
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


def test_tables_name_everything() -> None:
    text = markdown(found())
    for expected in (
        "| requests/s at 128 connections, against docs | ≥ 60 x | 58 x | missed |",
        "| quorum | 128 connections | 2,900 (2,000–3,000) | 2.00 | 4.00 | 8.00 | 0.40 | 0.20 | 2 |",
        "| quorum | 1,000 req/s offered | 1,000 (1,000–1,000) |",
        "| 128 connections | 1.45 | 58.00 | 0.50 |",
        "| tuned | 300 | 20 | 1 | 0 | 2.5e-01 | DIFFERS |",
        "| quorum | 2,000 | 0.30 |",
        "| all | 9 |  | 190 |",
        "| Ingress | 100.0 | 103.5 | +3.5 |",
    ):
        assert expected in text


def test_the_document_is_json_without_nan() -> None:
    text = json.dumps(found().document(), allow_nan=False)
    assert json.loads(text)["targets"][0]["verdict"] == "reached"


def test_curves_rise() -> None:
    assert curves(MEDIANS, CLOSED)["quorum"] == [(200.0, 3.0, 12.0), (2900.0, 2.0, 8.0)]
    assert curves(MEDIANS, OPEN) == {"quorum": [(1000.0, 5.0, 20.0)]}


def test_the_picture_is_one(tmp_path: Path) -> None:
    draw(MEDIANS, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
