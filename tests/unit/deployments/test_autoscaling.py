"""How many replicas a deployment needs."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from deployments.autoscaling import PROCESSORS, ROWS_IN_FLIGHT, LoadPolicy, NodePolicy
from deployments.spread import note_spread


@pytest.fixture(autouse=True)
def _one_node_again() -> Iterator[None]:
    yield
    note_spread(1, {})


def _context(rows: float | None = None, now: int = 1) -> Any:
    metrics = None if rows is None else {ROWS_IN_FLIGHT: {"r": rows}, PROCESSORS: {"r": 0.1}}
    return SimpleNamespace(aggregated_metrics=metrics, target_num_replicas=now, deployment_id="d")


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 2), (2, 2), (3, 3)])
def test_one_replica_a_node_and_two_at_least(nodes: int, replicas: int) -> None:
    note_spread(nodes, {})
    assert NodePolicy(2)(_context()) == (replicas, {})


def test_a_pool_has_one_replica_a_node_and_more_by_load() -> None:
    note_spread(3, {})
    assert LoadPolicy(100, 0.7)(_context(rows=10))[0] == 3
    assert LoadPolicy(100, 0.7)(_context(rows=450))[0] == 5


def test_a_pool_without_reports_grows_with_the_nodes_only() -> None:
    note_spread(3, {})
    assert LoadPolicy()(_context(now=2))[0] == 3
    assert LoadPolicy()(_context(now=4))[0] == 4


def test_a_pool_is_bounded_by_node() -> None:
    note_spread(2, {})
    assert LoadPolicy(1, 0.7, most_per_node=4)(_context(rows=1000))[0] == 8


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        NodePolicy(0)
    with pytest.raises(ValueError, match="above zero"):
        LoadPolicy(most_per_node=0)


def test_two_replicas_on_one_of_two_nodes_need_a_third() -> None:
    note_spread(2, {"d": 3})
    assert NodePolicy(2)(_context())[0] == 3
    assert LoadPolicy(100, 0.7)(_context(rows=10))[0] == 3
    assert LoadPolicy()(_context(now=2))[0] == 3
