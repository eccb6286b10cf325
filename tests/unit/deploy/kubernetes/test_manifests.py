"""Facts of the manifests that no schema knows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import ray
import yaml

from settings.settings import Settings
from tests.contracts.kubernetes.manifests import (
    FOLDERS,
    KUBERNETES,
    Objects,
    container,
    containers,
    pods,
    rendered,
)
from tests.contracts.root import ROOT

PARTS = ("serve_app/ingress.py", "deployments/combiner.py", "deployments/features.py")
VARIANT = "deployments/variant.py"


def cluster(folder: str = "base") -> dict[str, Any]:
    found: dict[str, Any] = rendered(folder)["RayService/quorum"]["spec"]["rayClusterConfig"]
    return found


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("folder", FOLDERS)
class TestEveryPod:
    def test_may_do_no_more_than_it_needs(self, folder: str) -> None:
        for name, template in pods(rendered(folder)):
            security = template["spec"]["securityContext"]
            assert security["runAsNonRoot"], name
            assert security["runAsUser"] >= 999, name
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for name, _, made in containers(rendered(folder)):
            security = made["securityContext"]
            assert security["readOnlyRootFilesystem"], name
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name

    def test_says_what_it_needs_and_no_memory_beyond(self, folder: str) -> None:
        for name, _, made in containers(rendered(folder)):
            requests, limits = made["resources"]["requests"], made["resources"]["limits"]
            assert requests.keys() == limits.keys() == {"cpu", "memory"}, name

    def test_mounts_what_it_has_and_has_what_it_mounts(self, folder: str) -> None:
        objects = rendered(folder)
        claims = {
            f"{name}": [c["metadata"]["name"] for c in d["spec"].get("volumeClaimTemplates", ())]
            for name, d in objects.items()
            if d["kind"] == "StatefulSet"
        }
        for name, template in pods(objects):
            volumes = {volume["name"] for volume in template["spec"].get("volumes", ())}
            volumes.update(claims.get(name, ()))
            mounted = {
                mount["name"]
                for made in template["spec"]["containers"]
                for mount in made["volumeMounts"]
            }
            assert mounted == volumes, name

    def test_runs_an_image_of_one_release(self, folder: str) -> None:
        for name, _, made in containers(rendered(folder)):
            assert re.search(r":[0-9][\w.-]*(@sha256:[0-9a-f]{64})?$", made["image"]), name

    def test_has_an_account_that_is_there_and_a_token_only_for_the_api(self, folder: str) -> None:
        objects = rendered(folder)
        for name, template in pods(objects):
            spec = template["spec"]
            if name.endswith("/head"):
                assert "serviceAccountName" not in spec  # KubeRay makes the autoscaler's
                continue
            account = objects[f"ServiceAccount/{spec['serviceAccountName']}"]
            assert account["automountServiceAccountToken"] is False
            labels = template["metadata"]["labels"]
            wants = labels.get("quorum/to-api") == "yes"
            assert spec.get("automountServiceAccountToken", False) is wants, name

    def test_reads_configuration_and_volumes_that_are_there(self, folder: str) -> None:
        objects = rendered(folder)
        for name, template in pods(objects):
            for volume in template["spec"].get("volumes", ()):
                if "configMap" in volume:
                    assert f"ConfigMap/{volume['configMap']['name']}" in objects, name
                if "persistentVolumeClaim" in volume:
                    claim = volume["persistentVolumeClaim"]["claimName"]
                    assert f"PersistentVolumeClaim/{claim}" in objects, name
            for made in template["spec"]["containers"]:
                for source in made.get("envFrom", ()):
                    assert f"ConfigMap/{source['configMapRef']['name']}" in objects, name


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_secret_is_in_the_manifests(folder: str) -> None:
    objects = rendered(folder)
    assert not [name for name in objects if name.startswith("Secret/")]
    for document in objects.values():
        for text in texts(document):
            assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text), text[:80]
    for name, _, made in containers(objects):
        for variable in made.get("env", ()):
            if re.search("PASSWORD|TOKEN|PEPPER|SECRET|_URL$|STORE_URI", variable["name"]):
                by_file = variable["name"].endswith("_FILE")
                assert by_file or "value" not in variable, name


def test_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    data = rendered("base")["ConfigMap/quorum-config"]["data"]
    values = {key: value for key, value in data.items() if not key.endswith("_FILE")}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    from settings import settings as module

    unknown = module._unknown(data)
    assert unknown == []
    assert Settings().artifacts_url == data["QUORUM_ARTIFACTS"]


def test_the_serve_configuration_is_the_projects_but_for_the_address() -> None:
    ours = yaml.safe_load(rendered("base")["RayService/quorum"]["spec"]["serveConfigV2"])
    its = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    assert ours["http_options"].pop("host") == "0.0.0.0"
    assert its["http_options"].pop("host") == "127.0.0.1"
    assert ours == its


def test_the_release_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    release = yaml.safe_load((KUBERNETES / "components/release/kustomization.yaml").read_text())
    images = {image["name"]: image for image in release["images"]}
    assert images["quorum"]["newTag"] == version
    compose = ROOT / "deploy" / "compose.yaml"
    if compose.exists():  # the stores are the same there
        services = yaml.safe_load(compose.read_text())["services"]
        for name in ("postgres", "redis"):
            image = images[name]
            whole = f"{image['newName']}:{image['newTag']}@{image['digest']}"
            assert services[name]["image"] == whole


class TestRayService:
    """Rules of KubeRay v1.7.0, ray-operator/controllers/ray/utils/validation.go."""

    def test_its_name_leaves_room_for_the_names_of_clusters(self) -> None:
        assert len(rendered("base")["RayService/quorum"]["metadata"]["name"]) <= 47

    def test_ray_is_the_one_of_the_constraints(self) -> None:
        assert cluster()["rayVersion"] == ray.__version__
        assert f"ray=={ray.__version__}" in (ROOT / "constraints.txt").read_text().splitlines()

    @pytest.mark.parametrize("folder", FOLDERS)
    def test_workers_have_bounds(self, folder: str) -> None:
        for group in cluster(folder)["workerGroupSpecs"]:
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]

    def test_nothing_is_set_that_kuberay_sets(self) -> None:
        groups = [cluster()["headGroupSpec"], *cluster()["workerGroupSpecs"]]
        for group in groups:
            names = {variable["name"] for variable in node(group)["env"]}
            assert not names & {"RAY_REDIS_ADDRESS", "REDIS_PASSWORD", "REDIS_USERNAME"}
            assert not group["rayStartParams"].keys() & {
                *("redis-password", "redis-username", "labels", "block", "address"),
            }
            assert "resources" not in group
            assert "restartPolicy" not in group["template"]["spec"]

    def test_state_of_two_clusters_is_apart(self) -> None:
        options = cluster()["gcsFaultToleranceOptions"]
        assert "externalStorageNamespace" not in options
        annotations = rendered("base")["RayService/quorum"]["metadata"]["annotations"]
        assert "ray.io/external-storage-namespace" not in annotations

    def test_commands_stay_and_start_what_kuberay_generates(self) -> None:
        annotations = rendered("base")["RayService/quorum"]["metadata"]["annotations"]
        assert annotations["ray.io/overwrite-container-cmd"] == "true"
        for group in [cluster()["headGroupSpec"], *cluster()["workerGroupSpecs"]]:
            made = node(group)
            assert made["command"] == ["quorum", "prepare", "--"]
            assert 'eval "exec $KUBERAY_GEN_RAY_START_CMD"' in made["args"][-1]

    def test_the_head_carries_no_replicas_and_no_clients_requests(self) -> None:
        assert cluster()["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
        assert rendered("base")["RayService/quorum"]["spec"]["excludeHeadPodFromServeSvc"]

    def test_a_worker_has_places_for_a_roll_out_of_all_that_it_may_carry(self) -> None:
        document = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
        pools = [app for app in document["applications"] if "variant" in app["args"]]
        scaling = pools[0]["deployments"][0]["autoscaling_config"]
        kwargs = scaling["policy"]["policy_kwargs"]
        most = kwargs.get("most_per_node", scaling["max_replicas"])
        full = sum(map(places, PARTS)) + len(pools) * most * places(VARIANT)
        group = cluster()["workerGroupSpecs"][0]
        # Old and new at once; one more set would need a second worker.
        assert 2 * full <= int(group["rayStartParams"]["num-cpus"])

    def test_workers_of_training_carry_the_label_that_keeps_replicas_away(self) -> None:
        assert cluster()["workerGroupSpecs"][1]["labels"]["quorum-role"] == "training"
        assert "quorum-role" not in cluster()["workerGroupSpecs"][0]["labels"]

    def test_nodes_tell_the_release_and_their_own_port(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        for group in [cluster()["headGroupSpec"], *cluster()["workerGroupSpecs"]]:
            assert group["labels"]["quorum-version"] == version
            assert group["labels"]["quorum-node-port"] == str(Settings().node_port)

    def test_a_log_outlives_its_pod_and_its_cluster(self) -> None:
        spec = cluster()["workerGroupSpecs"][0]["template"]["spec"]
        home = next(volume for volume in spec["volumes"] if volume["name"] == "home")
        claim = home["ephemeral"]["volumeClaimTemplate"]["spec"]
        settings = rendered("base")["ConfigMap/quorum-config"]["data"]
        mount = next(m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "home")
        assert settings["QUORUM_HOME"] == f"{mount['mountPath']}/home"
        for folder in FOLDERS[1:]:
            kept = rendered(folder)[f"StorageClass/{claim['storageClassName']}"]
            assert kept["reclaimPolicy"] == "Retain"
        # What the sweep looks for, and where the log is on the disk that it finds.
        _, sweep = container(rendered("base"), "CronJob/quorum-sweep/sweep")
        environment = {item["name"]: item["value"] for item in sweep["env"]}
        assert environment["WAL_STORAGE_CLASS"] == claim["storageClassName"]
        assert f"CronJob/{environment['WAL_SHIP_TEMPLATE']}" in rendered("base")
        _, ship = container(rendered("base"), "CronJob/quorum-wal-ship/wal-ship")
        released = next(m for m in ship["volumeMounts"] if m["name"] == "released")
        assert ship["args"] == [f"{released['mountPath']}/home/wal"]

    def test_workers_are_apart_within_their_cluster_alone(self) -> None:
        spec = cluster()["workerGroupSpecs"][0]["template"]["spec"]
        terms = spec["affinity"]["podAntiAffinity"]
        (term,) = terms["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        assert term["matchLabelKeys"] == ["ray.io/cluster"]
        labels = cluster()["workerGroupSpecs"][0]["template"]["metadata"]["labels"]
        assert term["labelSelector"]["matchLabels"].items() <= labels.items()

    def test_a_stopped_worker_has_time_to_leave(self) -> None:
        spec = cluster()["workerGroupSpecs"][0]["template"]["spec"]
        assert spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][:2] == [
            *("quorum", "leave"),
        ]
        service = rendered("base")["RayService/quorum"]["spec"]
        assert spec["terminationGracePeriodSeconds"] >= 60
        assert service["rayClusterDeletionDelaySeconds"] >= spec["terminationGracePeriodSeconds"]

    def test_the_scaler_scales_the_group_that_serves(self) -> None:
        _, scaler = container(rendered("base"), "Deployment/quorum-scaler/scaler")
        environment = {item["name"]: item["value"] for item in scaler["env"]}
        assert f"RayService/{environment['RAY_SERVICE']}" in rendered("base")
        group = cluster()["workerGroupSpecs"][0]
        assert environment["WORKER_GROUP"] == group["groupName"]
        assert (group["minReplicas"], group["maxReplicas"]) == (3, 50)

    @pytest.mark.parametrize("folder", FOLDERS)
    def test_a_budget_lets_a_machine_go(self, folder: str) -> None:
        budget = rendered(folder)["PodDisruptionBudget/quorum-workers"]["spec"]
        assert budget["minAvailable"] < cluster(folder)["workerGroupSpecs"][0]["minReplicas"]


def node(group: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = group["template"]["spec"]["containers"][0]
    return found


def places(file: str) -> float:
    """Return Ray's logical processors of a replica, as its deployment declares them."""
    found = re.search(r'ray_actor_options=\{"num_cpus": ([0-9.]+)\}', (ROOT / file).read_text())
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("folder", FOLDERS)
def test_services_lead_to_pods(folder: str) -> None:
    objects: Objects = rendered(folder)
    labels = [template["metadata"]["labels"] for _, template in pods(objects)]
    for name, document in objects.items():
        if document["kind"] == "Service":
            wanted = document["spec"]["selector"].items()
            assert any(wanted <= found.items() for found in labels), name
