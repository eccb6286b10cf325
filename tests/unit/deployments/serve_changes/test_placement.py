"""Where replicas go on several nodes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import defaultdict
from typing import Any

import pytest
from ray.serve._private import default_impl, deployment_scheduler

from deployments import spread
from deployments.serve_changes.placement import EvenScheduler, emptiest, surplus


class _Nodes:
    """Serve's view of the nodes."""

    def __init__(self, **cpus: float) -> None:
        self.cpus = cpus
        self.labels: dict[str, dict[str, str]] = defaultdict(dict)
        self.draining: set[str] = set()

    def get_active_node_ids(self) -> set[str]:
        return set(self.cpus) - self.draining

    def get_total_resources_per_node(self) -> dict[str, dict[str, float]]:
        return {node: {"CPU": n} for node, n in self.cpus.items()}

    def get_node_labels(self, node: str) -> dict[str, str]:
        return self.labels[node]


class _Request:
    def __init__(self, replica: str) -> None:
        self.replica_id = replica


class _Scheduler(EvenScheduler):
    """Starts nothing; notes where it would."""

    def __init__(self, nodes: _Nodes) -> None:
        self._cluster_node_info_cache = nodes
        self._pending_replicas = defaultdict(dict)
        self._launching_replicas = defaultdict(dict)
        self._recovering_replicas = defaultdict(set)
        self._running_replicas = defaultdict(dict)
        self._deployments: dict[str, Any] = {}
        self.placed: list[str | None] = []

    def _schedule_replica(
        self, scheduling_request: Any, default_scheduling_strategy: str, target_node_id: Any = None
    ) -> bool:
        self.placed.append(target_node_id)
        replica = scheduling_request.replica_id
        del self._pending_replicas["d"][replica]
        info = deployment_scheduler.LaunchingReplicaInfo(target_node_id=target_node_id)
        self._launching_replicas["d"][replica] = info
        return True

    def place(self, *replicas: str) -> list[str | None]:
        self.placed = []
        for replica in replicas:
            self._pending_replicas["d"][replica] = _Request(replica)
        self.schedule({}, {})
        return self.placed


@pytest.fixture(autouse=True)
def _one_node_again() -> Any:
    yield
    spread.note_spread(1, {})


def test_each_node_gets_one_and_a_roll_out_one_more() -> None:
    scheduler = _Scheduler(_Nodes(a=16, b=16, c=16))
    assert sorted(map(str, scheduler.place("1", "2", "3"))) == ["a", "b", "c"]
    scheduler._running_replicas["d"] = {"1": "a", "2": "b", "3": "c"}
    scheduler._launching_replicas["d"].clear()
    assert sorted(map(str, scheduler.place("4", "5", "6"))) == ["a", "b", "c"]
    assert spread.serving_nodes() == 3


def test_a_new_node_gets_the_next_replica() -> None:
    scheduler = _Scheduler(_Nodes(a=16, b=16))
    scheduler._running_replicas["d"] = {"1": "a", "2": "a"}
    assert scheduler.place("3") == ["b"]


def test_nodes_that_carry_no_replicas_do_not_count() -> None:
    nodes = _Nodes(head=0, a=16, b=16, spot=16, leaving=16)
    nodes.labels["spot"] = {"quorum-role": "training"}
    nodes.draining = {"leaving"}
    scheduler = _Scheduler(nodes)
    assert sorted(map(str, scheduler.place("1", "2"))) == ["a", "b"]
    assert spread.serving_nodes() == 2


def test_on_one_node_serve_decides() -> None:
    assert _Scheduler(_Nodes(a=16)).place("1", "2") == [None, None]


def test_no_node_at_all_counts_as_one() -> None:
    assert _Scheduler(_Nodes(head=0)).place("1") == [None]
    assert spread.serving_nodes() == 1


def test_the_node_with_the_most_replicas_loses_one() -> None:
    scheduler = _Scheduler(_Nodes(a=16, b=16, c=16))
    scheduler.place()
    scheduler._running_replicas["d"] = {"1": "a", "2": "b", "3": "c", "4": "b"}
    assert scheduler._get_replicas_to_stop("d", 1) == {"4"}
    scheduler._launching_replicas["d"]["5"] = deployment_scheduler.LaunchingReplicaInfo()
    assert scheduler._get_replicas_to_stop("d", 2) == {"5", "4"}


def test_replicas_of_a_node_that_leaves_stop_first() -> None:
    running = {"1": "a", "2": "gone", "3": "a"}
    assert surplus(running, 1, ["a", "b"]) == ["2"]
    assert surplus(running, 9, ["a", "b"]) == ["2", "3", "1"]


def test_the_first_of_equal_nodes_is_chosen() -> None:
    assert emptiest(["b", "a"], {}) == "b"


def test_serve_has_what_we_replace() -> None:
    base = deployment_scheduler.DeploymentScheduler
    assert default_impl.DeploymentScheduler is EvenScheduler
    source = inspect.getsource(default_impl.create_deployment_scheduler)
    assert "return DeploymentScheduler(" in source
    for name in ("schedule", "_schedule_with_spread_strategy", "_get_replicas_to_stop"):
        assert name in vars(base)
    parameters = list(inspect.signature(base._schedule_replica).parameters)
    assert parameters[1:4] == [
        "scheduling_request",
        "default_scheduling_strategy",
        "target_node_id",
    ]
    made = inspect.getsource(base.__init__)
    for name in ("_pending", "_launching", "_recovering", "_running"):
        assert f"self.{name}_replicas" in made
    assert "self._cluster_node_info_cache" in made


def test_a_worker_without_serve_does_not_import_it() -> None:
    code = (
        "import sys, deployments.preload;"
        "assert 'ray.serve' not in sys.modules, 'imported';"
        "import ray.serve;"
        "from ray.serve._private import default_impl;"
        "print(default_impl.DeploymentScheduler.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "EvenScheduler", done.stderr


def test_a_node_without_a_replica_asks_for_one_more_until_it_runs() -> None:
    scheduler = _Scheduler(_Nodes(a=16, b=16))
    scheduler._running_replicas["d"] = {"1": "a", "2": "a"}
    scheduler.place("3")
    assert spread.needed_everywhere("d") == 3
    scheduler._running_replicas["d"]["3"] = "b"
    scheduler._launching_replicas["d"].clear()
    scheduler.place()
    assert spread.needed_everywhere("d") == 2
    assert scheduler._get_replicas_to_stop("d", 1) == {"2"}
