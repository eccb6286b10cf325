"""The way of requests through a simulated cluster."""

from __future__ import annotations

import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.model.roles import POSTGRES, REDIS, Roles
from loadtests.capacity.simulation.cluster import MAX_QUEUED, MAX_ROWS, Cluster, Layout
from loadtests.capacity.simulation.engine import Clock

APART = Layout(nodes=3, cores=8.0, shared=False)


def made(constants: Constants, layout: Layout) -> tuple[Clock, Cluster]:
    clock = Clock()
    return clock, Cluster(clock, layout, constants, seed=1)


def test_stores_have_machines_of_their_own_unless_all_share_one(constants: Constants) -> None:
    _, apart = made(constants, APART)
    assert list(apart.machines) == ["node 0", "node 1", "node 2", REDIS, POSTGRES]
    _, shared = made(constants, Layout(nodes=3))
    assert list(shared.machines) == ["machine"]


def test_connections_are_spread_over_the_nodes(constants: Constants) -> None:
    clock, cluster = made(constants, APART)
    decided: list[bool] = []
    for connection in range(9):
        cluster.send(connection, decided.append)
    clock.run(1.0)
    assert decided == [True] * 9
    assert [node.rows for node in cluster.nodes] == [3, 3, 3]


def test_requests_gather_until_a_lane_is_free(constants: Constants) -> None:
    clock, cluster = made(constants, Layout(nodes=1, cores=8.0, shared=False, lanes=1))
    [node] = cluster.nodes
    decided: list[bool] = []
    for _ in range(3 * MAX_ROWS):
        node._enqueue(decided.append)
    # The first left alone; all the others wait for its lane.
    assert (node.batches, node.rows) == (1, 1)
    assert node.most_queued == 3 * MAX_ROWS - 1
    clock.run(5.0)
    assert decided == [True] * 3 * MAX_ROWS
    assert node.batches == 4


def test_a_request_that_finds_a_full_queue_is_refused_at_once(constants: Constants) -> None:
    _, cluster = made(constants, Layout(lanes=0))
    [node] = cluster.nodes
    answers: list[bool] = []
    for _ in range(MAX_QUEUED + 2):
        node._enqueue(answers.append)
    assert answers == [False, False]
    assert node.most_queued == MAX_QUEUED


def test_records_reach_postgresql_later(constants: Constants) -> None:
    clock, cluster = made(constants, APART)
    for connection in range(30):
        cluster.send(connection, lambda decided: None)
    clock.run(0.2)
    assert sum(node.rows for node in cluster.nodes) == 30
    assert sum(node.backlog for node in cluster.nodes) > 0
    clock.run(3.0)
    assert sum(node.backlog for node in cluster.nodes) == 0


def test_variants_that_are_not_asked_have_no_process(constants: Constants) -> None:
    first, *others = Roles.of(constants).variants
    _, cluster = made(constants, Layout(variants=(first,)))
    assert cluster.roles.variants == [first]
    assert not set(others) & set(cluster.nodes[0].processes)


def test_other_work_keeps_processors_busy(constants: Constants) -> None:
    clock, cluster = made(constants, Layout(nodes=1, cores=4.0, shared=True, other_cores=2.0))
    clock.run(20.0)
    idle = Roles.of(constants).node_idle_cores()
    busy = cluster.machines["machine"].busy_s / 20.0
    assert busy == pytest.approx(2.0 + idle, rel=0.15)
