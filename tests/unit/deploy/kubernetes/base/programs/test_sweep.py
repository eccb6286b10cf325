"""The sweep: what a gone pod left on its disk is shipped before the disk goes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.kubernetes.api_server import ApiServer, api_server
from tests.contracts.kubernetes.manifests import NAMESPACE, rendered
from tests.contracts.kubernetes.programs import client, program
from tests.contracts.kubernetes.rbac import allows, rules_of

VOLUMES = "/api/v1/persistentvolumes"
CLAIMS = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
CRON_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs"
SHIP = "wal-ship-pvc-1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path / "account", NAMESPACE) as made:
        made.allows = allows(rules_of(rendered("base"), "quorum-sweep"))
        made.put(CRON_JOBS, rendered("base")["CronJob/quorum-wal-ship"])
        yield made


def volume(name: str = "pvc-1", **changes: Any) -> dict[str, Any]:
    spec = {
        "storageClassName": "quorum-wal",
        "persistentVolumeReclaimPolicy": "Retain",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "20Gi"},
        "claimRef": {
            "namespace": NAMESPACE,
            "name": "quorum-abc-worker-home",
            "uid": "gone",
            "resourceVersion": "7",
        },
    }
    phase = changes.pop("phase", "Released")
    return {
        "metadata": {"name": name},
        "spec": {**spec, **changes},
        "status": {"phase": phase},
    }


def sweep(server: ApiServer, tmp_path: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    made = program("sweep").Sweep(
        client(server.url, tmp_path / "account"), "quorum-wal", "quorum-wal-ship", said.append
    )
    return made.run(), said


def finish(server: ApiServer, condition: str) -> None:
    job = server.objects[f"{JOBS}/{SHIP}"]
    job["status"] = {"conditions": [{"type": condition, "status": "True"}]}


def test_a_released_disk_gets_a_claim_and_a_job(server: ApiServer, tmp_path: Path) -> None:
    server.put(VOLUMES, volume())
    assert sweep(server, tmp_path)[0] == 0
    bound = server.objects[f"{VOLUMES}/pvc-1"]["spec"]["claimRef"]
    assert bound == {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": NAMESPACE,
        "name": SHIP,
    }
    claim = server.objects[f"{CLAIMS}/{SHIP}"]["spec"]
    assert (claim["volumeName"], claim["storageClassName"]) == ("pvc-1", "quorum-wal")
    assert claim["resources"]["requests"]["storage"] == "20Gi"
    pod = server.objects[f"{JOBS}/{SHIP}"]["spec"]["template"]["spec"]
    volumes = {item["name"]: item for item in pod["volumes"]}
    assert volumes["released"] == {
        "name": "released",
        "persistentVolumeClaim": {"claimName": SHIP},
    }
    assert pod["containers"][0]["command"] == ["quorum", "wal", "ship"]


def test_a_second_run_waits_for_the_job(server: ApiServer, tmp_path: Path) -> None:
    server.put(VOLUMES, volume())
    sweep(server, tmp_path)
    before = deepcopy(server.objects)
    assert sweep(server, tmp_path) == (0, [])
    assert server.objects == before


def test_a_shipped_disk_is_deleted_with_claim_and_job(server: ApiServer, tmp_path: Path) -> None:
    server.put(VOLUMES, volume())
    sweep(server, tmp_path)
    finish(server, "Complete")
    sweep(server, tmp_path)
    assert not server.named(CLAIMS)
    assert not server.named(JOBS)
    policy = server.objects[f"{VOLUMES}/pvc-1"]["spec"]["persistentVolumeReclaimPolicy"]
    assert policy == "Delete"
    # From here it is Kubernetes'.
    server.objects[f"{VOLUMES}/pvc-1"]["status"]["phase"] = "Released"
    assert sweep(server, tmp_path) == (0, [])


def test_a_disk_whose_log_is_not_shipped_stays(server: ApiServer, tmp_path: Path) -> None:
    server.put(VOLUMES, volume())
    sweep(server, tmp_path)
    finish(server, "Failed")
    asked = len(server.asked)
    failed, said = sweep(server, tmp_path)
    assert failed == 1
    assert said == [f"pvc-1: not shipped: see the log of the Job {SHIP}"]
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": "Bound"},
        {"storageClassName": "standard"},
        {"persistentVolumeReclaimPolicy": "Delete"},
        {"claimRef": {"namespace": "elsewhere", "name": "quorum-abc-worker-home"}},
        {"claimRef": None, "phase": "Available"},
    ],
)
def test_other_disks_are_left_alone(
    server: ApiServer, tmp_path: Path, changes: dict[str, Any]
) -> None:
    server.put(VOLUMES, volume(**changes))
    assert sweep(server, tmp_path) == (0, [])
    assert server.asked == []


@pytest.mark.parametrize("steps", [1, 2])
def test_a_run_that_was_cut_off_is_taken_up(server: ApiServer, tmp_path: Path, steps: int) -> None:
    server.put(VOLUMES, volume())
    sweep(server, tmp_path)
    # As if the run had ended after one step, or two, of three; the volume is bound or free.
    del server.objects[f"{JOBS}/{SHIP}"]
    if steps == 1:
        del server.objects[f"{CLAIMS}/{SHIP}"]
    server.objects[f"{VOLUMES}/pvc-1"]["status"]["phase"] = ("Available", "Bound")[steps - 1]
    sweep(server, tmp_path)
    assert list(server.named(CLAIMS)) == list(server.named(JOBS)) == [SHIP]


@pytest.mark.parametrize("gone", [1, 2])
def test_a_removal_that_was_cut_off_is_taken_up(
    server: ApiServer, tmp_path: Path, gone: int
) -> None:
    server.put(VOLUMES, volume())
    sweep(server, tmp_path)
    finish(server, "Complete")
    del server.objects[f"{CLAIMS}/{SHIP}"]
    if gone == 2:
        del server.objects[f"{JOBS}/{SHIP}"]
        server.objects[f"{VOLUMES}/pvc-1"]["status"]["phase"] = "Released"
        sweep(server, tmp_path)  # ships once more, which doubles nothing
        finish(server, "Complete")
    sweep(server, tmp_path)
    policy = server.objects[f"{VOLUMES}/pvc-1"]["spec"]["persistentVolumeReclaimPolicy"]
    assert policy == "Delete"


def test_without_a_template_nothing_changes(server: ApiServer, tmp_path: Path) -> None:
    server.put(VOLUMES, volume())
    del server.objects[f"{CRON_JOBS}/quorum-wal-ship"]
    with pytest.raises(program("kubernetes_api").Refused, match="404"):
        sweep(server, tmp_path)
    assert server.asked == []


def test_a_wrong_token_is_refused(server: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "account" / "token").write_text("another")
    with pytest.raises(program("kubernetes_api").Refused, match="401: Unauthorized"):
        sweep(server, tmp_path)
