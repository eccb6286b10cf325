"""The chart: the same objects as kustomize's, and values that are checked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.contracts.kubernetes.manifests import CHART, NAMESPACE, templated
from tests.contracts.kubernetes.tools import run


def test_it_is_installed_into_any_namespace() -> None:
    done = run("helm", "template", "q", str(CHART), "--namespace", "other")
    assert NAMESPACE not in done.stdout
    for document in filter(None, yaml.safe_load_all(done.stdout)):
        if not document["kind"].startswith("Cluster"):
            assert document["metadata"]["namespace"] == "other"
        for subject in document.get("subjects", ()):
            assert subject["namespace"] == "other"


def test_helm_finds_nothing_to_say_against_it() -> None:
    done = run("helm", "lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout


def test_values_reach_their_places(tmp_path: Path) -> None:
    values = {
        "image": "registry.example.com/quorum:9.9.9",
        "host": "fraud.example.org",
        "artifacts": "s3://mine/models",
        "settings": {"QUORUM_MAX_PAST_DAYS": "30"},
        "serviceAccount": {"annotations": {"role": "arn"}},
        "workers": {"min": 5, "max": 7, "disk": {"storageClass": "fast", "size": "9Gi"}},
        "scaling": {"target": "0.5"},
        "secrets": {"quorum": "mine"},
        "backup": {"suspend": True},
        "monitoring": {"enabled": True},
    }
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    objects = templated("--values", str(file))
    text = yaml.safe_dump_all(objects.values())
    assert "quorum:0.1.0" not in text
    assert text.count("registry.example.com/quorum:9.9.9") >= 10
    assert "secretName: quorum\n" not in text
    assert objects["Ingress/quorum"]["spec"]["rules"][0]["host"] == "fraud.example.org"
    data = objects["ConfigMap/quorum-config"]["data"]
    assert data["QUORUM_ARTIFACTS"] == "s3://mine/models"
    assert data["QUORUM_MAX_PAST_DAYS"] == "30"
    assert data["QUORUM_GCS"] == "redis"
    assert objects["ServiceAccount/quorum"]["metadata"]["annotations"] == {"role": "arn"}
    cluster = objects["RayService/quorum"]["spec"]["rayClusterConfig"]
    worker = cluster["workerGroupSpecs"][0]
    assert (worker["replicas"], worker["minReplicas"], worker["maxReplicas"]) == (5, 5, 7)
    claim = worker["template"]["spec"]["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == "fast"
    assert claim["resources"]["requests"]["storage"] == "9Gi"
    assert "value: fast" in yaml.safe_dump(objects["CronJob/quorum-sweep"])
    assert objects["CronJob/quorum-backup"]["spec"]["suspend"] is True
    assert "PodMonitor/quorum" in objects


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("workers.min=many", "/workers/min"),
        ("workers.min=0", "/workers/min"),
        ("workers.minimum=3", "minimum"),
        ("image=", "/image"),
        ("host=Not A Name", "/host"),
        ("stores.enabled=perhaps", "/stores/enabled"),
        ("workers.resources.requests.cpu=much", "/workers/resources/requests/cpu"),
        ("workers.resources.limits.gpu=1", "gpu"),
        ("redis.address=redis://user:password@host:6379", "/redis/address"),
        ("backup.schedule=daily", "/backup/schedule"),
        ("settings.quorum_tenant=x", "quorum_tenant"),
        ("settings.QUORUM_HOME=/x", "QUORUM_HOME"),
        ("settings.DATABASE_URL=x", "DATABASE_URL"),
        ("scaling.target=1.5", "/scaling/target"),
        ("nodes=3", "nodes"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(option: str, named: str) -> None:
    done = run("helm", "template", "q", str(CHART), "--set", option)
    assert done.returncode != 0
    assert named in done.stderr
