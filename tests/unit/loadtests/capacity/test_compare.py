"""Simulated runs beside the measured ones that the constants come from, and beside others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.capacity.compare import P50, P99, PER_S, TOLERANCE, Comparison, compare
from loadtests.capacity.constants import FILE, Constants
from loadtests.capacity.runs import CLOSED, OPEN, read_runs


@pytest.mark.slow
def test_the_simulation_meets_what_was_measured(constants: Constants) -> None:
    """Costs are fitted to processor time alone. Throughput, latency and the open loops follow from
    how the parts work together."""
    runs = constants.node.runs
    assert {(run.mode, run.amount) for run in runs} >= {
        *((CLOSED, 1), (CLOSED, 32), (CLOSED, 128), (OPEN, 500))
    }
    outside = [comparison for comparison in compare(runs, constants) if not comparison.holds]
    assert outside == []


@pytest.mark.slow
def test_the_simulation_meets_three_real_nodes(constants: Constants) -> None:
    """As `make bench-nodes NODES="--runs loadtests/capacity/nodes_runs.json"` has measured them."""
    runs = read_runs((FILE.parent / "nodes_runs.json").read_bytes())
    three = [run for run in runs if run.nodes == 3]
    assert {run.amount for run in three} == {48, 144}
    found = compare(three, constants)
    assert [comparison for comparison in found if not comparison.holds] == []
    assert all(comparison.counts for comparison in found)


def test_a_run_of_something_else_lies_outside(constants: Constants) -> None:
    [run] = [r for r in constants.node.runs if (r.mode, r.amount) == (CLOSED, 32)]
    half = replace(run, per_s=run.per_s / 2, p50_ms=run.p50_ms * 3)
    found = {c.measure: c.holds for c in compare([half], constants)}
    assert not found[PER_S]
    assert not found[P50]


def test_other_work_excuses_the_tail_and_nothing_else(constants: Constants) -> None:
    [run] = [r for r in constants.node.runs if (r.mode, r.amount) == (CLOSED, 8)]
    bad = replace(run, per_s=1.0, p50_ms=1e6, p99_ms=1e6)
    quiet, beside = (
        {c.measure: c.holds for c in compare([replace(bad, other_cores=cores)], constants, 1.0)}
        for cores in (0.1, 0.6)
    )
    assert quiet == {PER_S: False, P50: False, P99: False}
    assert beside == {PER_S: False, P50: False, P99: True}


@pytest.mark.parametrize("measure", [PER_S, P50, P99])
def test_the_tolerance_holds_both_ways(measure: str) -> None:
    most = TOLERANCE[measure]
    assert Comparison("load", measure, 100.0, 100.0 * most * 0.99).holds
    assert Comparison("load", measure, 100.0, 100.0 / most * 1.01).holds
    assert not Comparison("load", measure, 100.0, 100.0 * most * 1.01).holds
    assert Comparison("load", measure, 100.0, 100.0 / most * 0.99).verdict == "OUTSIDE"
