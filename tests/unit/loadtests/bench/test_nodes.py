"""The report of one, two and three nodes."""

from __future__ import annotations

import pytest

from loadtests.bench.nodes import FLAT, NodesRun, growth, main, text
from loadtests.capacity.measure.usage import CLIENT
from loadtests.capacity.runs import CLOSED, MeasuredRun


def nodes_run(nodes: int, ingress_ms: float, spread: str = "total") -> NodesRun:
    costs = {"Ingress": ingress_ms, "Redis": 0.1, "PostgreSQL": 0.05, CLIENT: 9.0}
    run = MeasuredRun(
        CLOSED, 48, nodes, 2.0, 0.0, 900.0, 40.0, 50.0, 80.0, 20.0, costs, {"log": 1.0}
    )
    return NodesRun(spread, 48, run)


def test_a_decision_costs_what_nodes_and_stores_use() -> None:
    run = nodes_run(1, 0.85)
    assert run.cpu_ms == pytest.approx(1.0)
    assert run.stores_ms == pytest.approx(0.15)


def test_growth_is_from_the_fewest_nodes_to_the_most() -> None:
    found = [nodes_run(3, 1.05), nodes_run(1, 0.85), nodes_run(2, 5.0)]
    assert growth(found, "total") == pytest.approx(1.2)
    assert growth(found[:1], "total") == 1.0
    assert growth([nodes_run(1, 0.85, "each"), *found], "each") == 1.0


def test_the_report_says_whether_it_is_flat() -> None:
    flat = text([nodes_run(1, 0.85), nodes_run(3, 0.95)])
    assert 1.1 < FLAT < 1.35
    assert "| 48, the same in all | 3 | 900 | 40.0 | 80.0 | 20.0 | 1.100 | 0.150 |" in flat
    assert flat.endswith("the same in all: flat, x 1.10")
    assert text([nodes_run(1, 0.85), nodes_run(3, 1.2)]).endswith("GROWS, x 1.35")


@pytest.mark.parametrize("arguments", [["--nodes", "0"], ["--spread", "half"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
