"""The NetworkPolicies allow each flow that Quorum needs, and no other between these ends."""

from __future__ import annotations

import pytest
from ray.serve._private import constants as serve

from settings.settings import Settings
from tests.contracts.kubernetes.manifests import pods, rendered
from tests.contracts.kubernetes.network import Peer, allowed

OPERATOR = Peer({"app.kubernetes.io/name": "kuberay-operator"}, "kuberay-system")
INGRESS = Peer({"app.kubernetes.io/name": "ingress-nginx"}, "ingress-nginx")
PROMETHEUS = Peer({"app.kubernetes.io/name": "prometheus"}, "monitoring")
DNS = Peer({"k8s-app": "kube-dns"}, "kube-system")
STRANGER = Peer({"app": "stranger"}, "elsewhere")
STORE = Peer({}, "", "10.9.9.9")
S3 = Peer({}, "", "52.218.0.1")
API = Peer({}, "", "10.96.0.1")
INTERNET = Peer({}, "", "203.0.113.7")


def pod(folder: str, name: str) -> Peer:
    """Return a pod by its name in `pods`, with the labels that KubeRay adds."""
    template = dict(pods(rendered(folder)))[name]
    labels = dict(template["metadata"]["labels"])
    if name.startswith("RayService"):
        labels["ray.io/node-type"] = "head" if name.endswith("/head") else "worker"
        labels["ray.io/is-ray-node"] = "yes"
    return Peer(labels)


HEAD, WORKER, TRAINING = (f"RayService/quorum/{n}" for n in ("head", "worker", "training"))
MLFLOW, MIGRATE = "Deployment/quorum-mlflow", "Job/quorum-migrate"
TRAIN, RETRAIN = "CronJob/quorum-train", "CronJob/quorum-retrain"
BACKUP, SHIP, SWEEP = (f"CronJob/quorum-{n}" for n in ("backup", "wal-ship", "sweep"))
SCALER = "Deployment/quorum-scaler"
ALL = (
    *(HEAD, WORKER, TRAINING, MLFLOW, MIGRATE, TRAIN, RETRAIN, BACKUP, SHIP, SWEEP),
    SCALER,
)
NODES = (HEAD, WORKER, TRAINING)
OF_STORES = (*NODES, MLFLOW, MIGRATE, TRAIN, RETRAIN, BACKUP, SHIP)
OF_S3 = (*NODES, TRAIN, RETRAIN)
OF_API = (HEAD, SWEEP, SCALER)
OF_MLFLOW = (TRAINING, TRAIN, RETRAIN)


def test_each_pod_is_thought_of() -> None:
    assert {name for name, _ in pods(rendered("base"))} == set(ALL)


@pytest.mark.parametrize("name", ALL)
class TestWaysOut:
    def test_to_stores(self, name: str) -> None:
        for port in (5432, 6379):
            here = allowed(rendered("base"), pod("base", name), STORE, port)
            assert here is (name in OF_STORES)

    def test_to_artifacts(self, name: str) -> None:
        assert allowed(rendered("base"), pod("base", name), S3, 443) is (name in OF_S3 + OF_API)

    def test_to_the_api_of_kubernetes(self, name: str) -> None:
        for port in (443, 6443):
            assert allowed(rendered("base"), pod("base", name), API, port) is (name in OF_API)

    def test_to_names(self, name: str) -> None:
        for protocol in ("UDP", "TCP"):
            assert allowed(rendered("base"), pod("base", name), DNS, 53, protocol)

    def test_to_mlflow(self, name: str) -> None:
        there = pod("base", MLFLOW)
        here = allowed(rendered("base"), pod("base", name), there, 5000)
        assert here is (name in OF_MLFLOW)

    @pytest.mark.parametrize("port", [22, 80, 8080, 25])
    def test_to_nowhere_else(self, name: str, port: int) -> None:
        for there in (INTERNET, STRANGER, API, DNS):
            assert not allowed(rendered("base"), pod("base", name), there, port)


class TestNodes:
    PORTS = (
        *(6379, 6380, 6381, 6382, 6383, 8265, 52365, 10_002, 19_999),
        *(Settings().http_port, Settings().node_port),
        *(serve.RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT,),
        *(serve.RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT, 32_768, 60_999),
        # links
        *(20_000, 20_999),
    )

    @pytest.mark.parametrize("port", PORTS)
    def test_reach_each_other(self, port: int) -> None:
        for here in NODES:
            for there in NODES:
                assert allowed(rendered("base"), pod("base", here), pod("base", there), port)

    def test_ports_of_ray_are_fixed_and_open(self) -> None:
        cluster = rendered("base")["RayService/quorum"]["spec"]["rayClusterConfig"]
        for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
            ports = {k: int(v) for k, v in group["rayStartParams"].items() if k.endswith("-port")}
            assert ports.keys() == {
                *("node-manager-port", "object-manager-port", "runtime-env-agent-port"),
                *("dashboard-agent-grpc-port", "dashboard-agent-listen-port"),
                *("min-worker-port", "max-worker-port"),
            }
            for port in ports.values():
                assert allowed(rendered("base"), pod("base", WORKER), pod("base", HEAD), port)

    @pytest.mark.parametrize("port", [22, 80, 443, 5432, 8500, 9000, 10_001, 61_000])
    def test_have_no_other_port(self, port: int) -> None:
        assert not allowed(rendered("base"), pod("base", HEAD), pod("base", WORKER), port)

    @pytest.mark.parametrize("port", [6379, 8000, 8001, 8265, 20_000, 40_000])
    def test_are_closed_to_the_other_pods_and_namespaces(self, port: int) -> None:
        others = [pod("base", name) for name in ALL if name not in NODES]
        for other in (*others, STRANGER, PROMETHEUS, INTERNET):
            assert not allowed(rendered("base"), other, pod("base", HEAD), port)
            assert not allowed(rendered("base"), other, pod("base", WORKER), port)

    def test_kuberay_reaches_the_heads_dashboard_alone(self) -> None:
        assert allowed(rendered("base"), OPERATOR, pod("base", HEAD), 8265)
        assert not allowed(rendered("base"), OPERATOR, pod("base", HEAD), 6379)
        assert not allowed(rendered("base"), OPERATOR, pod("base", WORKER), 8265)

    def test_the_ingress_reaches_the_workers_http_alone(self) -> None:
        assert allowed(rendered("base"), INGRESS, pod("base", WORKER), 8000)
        for name, port in ((WORKER, 8001), (WORKER, 8265), (HEAD, 8000), (TRAINING, 8000)):
            assert not allowed(rendered("base"), INGRESS, pod("base", name), port)

    def test_prometheus_reaches_the_workers_own_port_where_it_is_asked_for(self) -> None:
        objects = rendered("overlays/production")
        assert allowed(objects, PROMETHEUS, pod("base", WORKER), 8001)
        assert not allowed(objects, PROMETHEUS, pod("base", WORKER), 8000)
        assert not allowed(objects, PROMETHEUS, pod("base", HEAD), 8001)


class TestStoresInTheNamespace:
    POSTGRES, REDIS = "StatefulSet/quorum-postgres", "StatefulSet/quorum-redis"

    @pytest.mark.parametrize("name", ALL)
    def test_are_for_those_that_need_them(self, name: str) -> None:
        objects = rendered("overlays/demo")
        for store, port in ((self.POSTGRES, 5432), (self.REDIS, 6379)):
            here = allowed(objects, pod("base", name), pod("overlays/demo", store), port)
            assert here is (name in OF_STORES)

    def test_are_the_only_ones(self) -> None:
        objects = rendered("overlays/demo")
        assert not allowed(objects, pod("base", WORKER), STORE, 5432)
        assert not allowed(objects, STRANGER, pod("overlays/demo", self.POSTGRES), 5432)

    def test_have_no_way_out(self) -> None:
        for store in (self.POSTGRES, self.REDIS):
            for there in (INTERNET, API, pod("base", WORKER)):
                assert not allowed(
                    rendered("overlays/demo"), pod("overlays/demo", store), there, 443
                )
