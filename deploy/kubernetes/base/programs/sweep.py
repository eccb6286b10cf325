"""Ships the decision logs of pods that are gone, then deletes their disks.

Each worker has a disk of its own for its log. It belongs to the pod and to no cluster, and its
class keeps it when the pod goes (`reclaimPolicy: Retain`). What a pod could not ship before it
ended is on that disk. This program runs on a schedule. Each run takes every such disk one step
further:

    released      the pod is gone      -> a claim and a Job of its own, which runs `quorum wal ship`
    Job complete  the log is shipped   -> claim, Job and disk are deleted
    Job failed    the log is not       -> the disk stays, and this program ends with exit code 1

A run that is cut off leaves nothing that the next one does not take up.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from kubernetes_api import KubernetesApi, Refused

#: Names of claims and Jobs: this, and the name of the volume.
PREFIX = "wal-ship-"
#: Volume of the Job's template that stands for the disk.
PLACE = "released"
_VOLUMES = "/api/v1/persistentvolumes"


class Sweep:
    """One run.

    Args:
        api: the cluster.
        storage_class: class of the disks.
        template: name of the suspended CronJob whose Job is started for each disk.
        say: where a line for each step goes.
    """

    def __init__(
        self, api: KubernetesApi, storage_class: str, template: str, say: Callable[[str], None]
    ) -> None:
        self._api = api
        self._class = storage_class
        self._template = template
        self._say = say
        self._claims = f"/api/v1/namespaces/{api.namespace}/persistentvolumeclaims"
        self._jobs = f"/apis/batch/v1/namespaces/{api.namespace}/jobs"
        self._cron_jobs = f"/apis/batch/v1/namespaces/{api.namespace}/cronjobs"

    def run(self) -> int:
        """Take each disk a step further. Returns the number of disks whose Job failed."""
        failed = 0
        jobs = {job["metadata"]["name"]: job for job in self._api.get(self._jobs)["items"]}
        for volume in self._api.get(_VOLUMES)["items"]:
            if not self._is_ours(volume):
                continue
            name = volume["metadata"]["name"]
            job = jobs.get(PREFIX + name)
            phase = volume.get("status", {}).get("phase")
            if job is not None and _is(job, "Complete"):
                self._remove(name)
            elif job is not None and _is(job, "Failed"):
                failed += 1
                self._say(f"{name}: not shipped: see the log of the Job {PREFIX}{name}")
            elif job is None and (phase == "Released" or self._is_taken(volume)):
                self._ship(volume)
        return failed

    def _is_ours(self, volume: Any) -> bool:
        spec = volume["spec"]
        claim = spec.get("claimRef") or {}
        return (
            spec.get("storageClassName") == self._class
            and claim.get("namespace") == self._api.namespace
            and not volume["metadata"].get("deletionTimestamp")
            and spec.get("persistentVolumeReclaimPolicy") == "Retain"
        )

    def _is_taken(self, volume: Any) -> bool:
        """Whether an earlier run has taken the disk, and could not start its Job."""
        return bool(volume["spec"]["claimRef"]["name"] == PREFIX + volume["metadata"]["name"])

    def _ship(self, volume: Any) -> None:
        name = volume["metadata"]["name"]
        # The template first: without it nothing must change.
        job = self._job(name)
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": PREFIX + name, "labels": job["metadata"]["labels"]},
            "spec": {
                "accessModes": volume["spec"]["accessModes"],
                "storageClassName": self._class,
                "volumeName": name,
                "resources": {"requests": {"storage": volume["spec"]["capacity"]["storage"]}},
            },
        }
        # A volume is bound to the claim it names; without a uid it may be a new one.
        reference = {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            "name": PREFIX + name,
            "namespace": self._api.namespace,
            "uid": None,
            "resourceVersion": None,
        }
        if not self._is_taken(volume):
            self._api.patch(f"{_VOLUMES}/{name}", {"spec": {"claimRef": reference}})
        self._create(self._claims, claim)
        self._create(self._jobs, job)
        self._say(f"{name}: the Job {PREFIX}{name} ships its log")

    def _job(self, volume: str) -> dict[str, Any]:
        """Return the Job that ships one disk: the template's, with the disk in its place."""
        found = self._api.get(f"{self._cron_jobs}/{self._template}")
        template = json.loads(json.dumps(found["spec"]["jobTemplate"]))
        volumes = template["spec"]["template"]["spec"]["volumes"]
        place = next(item for item in volumes if item["name"] == PLACE)
        place.clear()
        place.update(name=PLACE, persistentVolumeClaim={"claimName": PREFIX + volume})
        labels = template.get("metadata", {}).get("labels", {})
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": PREFIX + volume, "labels": labels},
            "spec": template["spec"],
        }

    def _create(self, path: str, document: Any) -> None:
        try:
            self._api.create(path, document)
        except Refused as refused:
            if refused.status != 409:  # an earlier run was cut off after this step
                raise

    def _remove(self, volume: str) -> None:
        # With this policy, deleting the claim deletes the disk.
        policy = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}
        self._api.delete(f"{self._claims}/{PREFIX}{volume}")
        self._api.delete(f"{self._jobs}/{PREFIX}{volume}")
        self._api.patch(f"{_VOLUMES}/{volume}", policy)
        self._say(f"{volume}: shipped; the disk is deleted")


def _is(job: Any, condition: str) -> bool:
    return any(
        item["type"] == condition and item["status"] == "True"
        for item in job.get("status", {}).get("conditions", ())
    )


def main() -> int:
    """Run once. Returns the exit code."""
    sweep = Sweep(
        KubernetesApi.of_this_pod(),
        os.environ["WAL_STORAGE_CLASS"],
        os.environ["WAL_SHIP_TEMPLATE"],
        lambda line: print(line, flush=True),
    )
    try:
        return 1 if sweep.run() else 0
    except (Refused, OSError) as error:
        print(f"error: the Kubernetes API refuses or does not answer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
