"""Simulated runs."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.measure.fit import Line
from loadtests.capacity.model.demand import Hardware
from loadtests.capacity.model.node import NodeModel
from loadtests.capacity.model.roles import Roles
from loadtests.capacity.runs import CLOSED, OPEN
from loadtests.capacity.simulation.cluster import MAX_QUEUED, MAX_ROWS, Layout
from loadtests.capacity.simulation.run import simulate

LARGE = Layout(nodes=1, cores=8, shared=False, lanes=2)


def test_the_same_seed_gives_the_same_run(constants: Constants) -> None:
    runs = [simulate(constants, Layout(), CLOSED, 8, 1.0, seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_requests_in_flight_are_rate_times_latency(constants: Constants) -> None:
    """Little's law."""
    run = simulate(constants, Layout(), CLOSED, 32, 4.0)
    assert run.per_s * run.p50_ms / 1000 == pytest.approx(32, rel=0.15)


def test_no_work_is_lost_below_saturation(constants: Constants) -> None:
    run = simulate(constants, LARGE, OPEN, 1000, 4.0)
    assert run.per_s == pytest.approx(1000, rel=0.05)
    assert run.refused == 0
    assert max(*run.busy.values(), *run.processes.values()) < 0.9


@pytest.mark.slow
def test_beyond_saturation_queues_are_full_and_requests_refused(constants: Constants) -> None:
    run = simulate(constants, LARGE, OPEN, 10_000, 3.0)
    assert run.refused > 1000
    assert run.most_queued == MAX_QUEUED
    assert run.rows == pytest.approx(MAX_ROWS)


@pytest.mark.slow
def test_more_nodes_decide_more(constants: Constants) -> None:
    one, three = (simulate(constants, replace(LARGE, nodes=n), OPEN, 6000, 2.0) for n in (1, 3))
    assert three.per_s == pytest.approx(6000, rel=0.05)
    assert one.per_s < 5000


def test_nodes_on_one_machine_share_its_processors(constants: Constants) -> None:
    one, three = (simulate(constants, Layout(nodes=n), CLOSED, 48, 3.0) for n in (1, 3))
    assert three.per_s < one.per_s
    assert three.rows < one.rows


def test_a_slow_store_is_seen_in_the_latency_of_all_nodes(constants: Constants) -> None:
    cost = constants.redis.cpu_us
    slow = replace(constants.redis, cpu_us=Line(10 * cost.call, 10 * cost.row))
    layout = replace(LARGE, nodes=4)
    usual, slowed = (
        simulate(of, layout, OPEN, 2000, 2.0)
        for of in (constants, msgspec.structs.replace(constants, redis=slow))
    )
    assert slowed.busiest == "Redis"
    assert slowed.p50_ms > 3 * usual.p50_ms


@pytest.mark.slow
def test_the_closed_form_agrees_about_what_a_node_decides(constants: Constants) -> None:
    model = NodeModel(Roles.of(constants), Hardware(), variants=4)
    planned, _ = model.most()
    below = simulate(constants, LARGE, OPEN, round(planned.per_s), 4.0)
    beyond = simulate(constants, LARGE, OPEN, round(planned.per_s / Hardware().use * 1.3), 4.0)
    assert below.per_s == pytest.approx(planned.per_s, rel=0.05)
    assert below.refused == 0
    assert below.p99_ms < 250
    # The closed form is on the safe side: nothing in it overlaps.
    assert 0.9 < beyond.per_s / (planned.per_s / Hardware().use) < 1.3
    assert beyond.p50_ms > 3 * below.p50_ms
