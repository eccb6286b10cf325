"""The scaler: how many workers, and what it writes for that."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.kubernetes.api_server import ApiServer, api_server
from tests.contracts.kubernetes.manifests import NAMESPACE, rendered
from tests.contracts.kubernetes.programs import client, program
from tests.contracts.kubernetes.rbac import allows, rules_of

RAY = f"/apis/ray.io/v1/namespaces/{NAMESPACE}"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
METRICS = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
SPAN_S = 300.0


class Quorum:
    """A RayService with a cluster that has workers, and a scaler that looks at it."""

    def __init__(self, server: ApiServer, account: Path) -> None:
        self.server = server
        self.now_s = 0.0
        self.said: list[str] = []
        service = server.put(f"{RAY}/rayservices", rendered("base")["RayService/quorum"])
        service["status"] = {"activeServiceStatus": {"rayClusterName": "quorum-a"}}
        self.status = service["status"]
        self.add_cluster("quorum-a")
        scale = program("scale")
        self._scaler = scale.Scaler(
            client(server.url, account),
            "quorum",
            "worker",
            0.6,
            scale.Steady(SPAN_S, lambda: self.now_s),
            self.said.append,
        )

    def add_cluster(self, name: str) -> None:
        spec = deepcopy(rendered("base")["RayService/quorum"]["spec"]["rayClusterConfig"])
        self.server.put(f"{RAY}/rayclusters", {"metadata": {"name": name}, "spec": spec})

    def group(self, cluster: str = "quorum-a") -> dict[str, Any]:
        found: dict[str, Any] = self.server.objects[f"{RAY}/rayclusters/{cluster}"]
        group: dict[str, Any] = found["spec"]["workerGroupSpecs"][0]
        return group

    def use(self, *processors: float | None) -> None:
        """Let there be a worker for each use; None: it has no figures yet."""
        for path in [p for p in self.server.objects if p.startswith((PODS, METRICS))]:
            del self.server.objects[path]
        labels = {"ray.io/cluster": "quorum-a", "ray.io/group": "worker"}
        for i, use in enumerate(processors):
            metadata = {
                "name": f"worker-{i}",
                "labels": labels,
                "creationTimestamp": f"2026-{i:02}",
            }
            ready = [{"type": "Ready", "status": "True" if use is not None else "False"}]
            self.server.put(PODS, {"metadata": metadata, "status": {"conditions": ready}})
            if use is not None:
                usage = {"name": "ray-worker", "usage": {"cpu": f"{round(use * 1e9)}n"}}
                self.server.put(METRICS, {"metadata": metadata, "containers": [usage]})

    def look(self, after_s: float = 15.0) -> None:
        self.now_s += after_s
        self._scaler.look()


@pytest.fixture
def quorum(tmp_path: Path) -> Iterator[Quorum]:
    with api_server(tmp_path / "account", NAMESPACE) as server:
        server.allows = allows(rules_of(rendered("base"), "quorum-scaler"))
        yield Quorum(server, tmp_path / "account")


def test_the_examples() -> None:
    failed, tried = doctest.testmod(program("scale"))
    assert tried > 0
    assert failed == 0


def test_more_load_raises_the_fewest_workers_of_the_cluster_that_serves(quorum: Quorum) -> None:
    quorum.use(2.7, 2.7, 2.7)  # of 3 requested; the target is 1.8
    quorum.look()
    assert quorum.group()["minReplicas"] == 5
    assert quorum.group()["maxReplicas"] == 50
    assert quorum.said == ["quorum-a: 3 -> 5 workers"]


def test_workers_that_start_keep_the_number(quorum: Quorum) -> None:
    quorum.use(2.7, 2.7, 2.7)
    quorum.look()
    quorum.use(2.7, 2.7, 2.7, None, None)
    quorum.look()
    assert quorum.group()["minReplicas"] == 5


def test_no_more_than_the_bound(quorum: Quorum) -> None:
    quorum.use(*[3.0] * 40)
    quorum.look()
    assert quorum.group()["minReplicas"] == 50


def test_fewer_only_after_the_span_one_at_a_time_the_newest(quorum: Quorum) -> None:
    quorum.use(*[2.0] * 6)
    quorum.look()
    assert quorum.group()["minReplicas"] == 7
    quorum.use(*[0.2] * 7)
    quorum.look()
    quorum.look(SPAN_S - 15.0)
    assert quorum.group()["minReplicas"] == 7
    quorum.group()["replicas"] = 7
    quorum.look()
    group = quorum.group()
    assert (group["minReplicas"], group["replicas"]) == (6, 6)
    assert group["scaleStrategy"] == {"workersToDelete": ["worker-6"]}
    assert group["maxReplicas"] == 50


def test_a_worker_that_is_not_ready_goes_first(quorum: Quorum) -> None:
    quorum.group().update(minReplicas=5, replicas=5)
    quorum.use(0.2, 0.2, None, 0.2, 0.2)
    quorum.look()
    quorum.look(SPAN_S)
    assert quorum.group()["scaleStrategy"] == {"workersToDelete": ["worker-2"]}


def test_never_below_the_bound(quorum: Quorum) -> None:
    quorum.use(0.1, 0.1, 0.1)
    quorum.look()
    quorum.look(SPAN_S)
    assert quorum.group()["minReplicas"] == 3
    assert quorum.server.asked == []


def test_a_short_calm_removes_nothing(quorum: Quorum) -> None:
    quorum.group().update(minReplicas=6, replicas=6)
    for minute in range(12):
        quorum.use(*([0.2] * 6 if minute % 3 else [1.8] * 6))
        quorum.look(60.0)
    assert quorum.group()["minReplicas"] == 6


def test_without_figures_nothing_changes(quorum: Quorum) -> None:
    quorum.use(None, None, None)
    quorum.look()
    quorum.look(SPAN_S)
    assert quorum.server.asked == []


def test_an_autoscaler_that_was_faster_wins(quorum: Quorum) -> None:
    quorum.group().update(minReplicas=5, replicas=7)
    quorum.use(*[0.2] * 5)
    quorum.look()
    real = quorum.server.answer

    def faster(method: str, *rest: Any) -> tuple[int, Any]:
        if method == "PATCH":
            quorum.group()["replicas"] = 9
        return real(method, *rest)

    quorum.server.answer = faster  # type: ignore[method-assign]
    with pytest.raises(program("kubernetes_api").Refused, match="422"):
        quorum.look(SPAN_S)
    assert quorum.group()["replicas"] == 9


def test_a_cluster_in_preparation_gets_as_many_workers(quorum: Quorum) -> None:
    quorum.group().update(minReplicas=6, replicas=6)
    quorum.use(*[1.8] * 6)
    quorum.status["pendingServiceStatus"] = {"rayClusterName": "quorum-b"}
    quorum.look()  # KubeRay has not made it yet
    quorum.add_cluster("quorum-b")
    quorum.look()
    assert quorum.group("quorum-b")["minReplicas"] == 6
    assert quorum.group()["minReplicas"] == 6


def test_before_the_first_cluster_serves_nothing_happens(quorum: Quorum) -> None:
    quorum.status["activeServiceStatus"] = {}
    quorum.look()
    assert quorum.server.asked == []


def test_bounds_are_those_of_the_service_not_of_the_cluster(quorum: Quorum) -> None:
    service = quorum.server.objects[f"{RAY}/rayservices/quorum"]
    service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["maxReplicas"] = 4
    quorum.use(3.0, 3.0, 3.0)
    quorum.look()
    assert quorum.group()["minReplicas"] == 4
