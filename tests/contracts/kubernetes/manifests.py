"""The objects that kustomize and Helm make of deploy/, and ways through them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from tests.contracts.kubernetes.tools import run
from tests.contracts.root import ROOT

NAMESPACE = "fraud-detection"
KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "quorum"
FOLDERS = ("base", "overlays/demo", "overlays/production")
Objects = dict[str, dict[str, Any]]


def by_name(text: str) -> Objects:
    """Return the objects of a YAML text by `Kind/name`; none may be there twice."""
    documents = [document for document in yaml.safe_load_all(text) if document]
    objects = {f"{d['kind']}/{d['metadata']['name']}": d for d in documents}
    assert len(objects) == len(documents)
    return objects


@cache
def rendered(folder: str) -> Objects:
    """Return the objects of a folder of deploy/kubernetes. Do not change them."""
    done = run("kubectl", "kustomize", str(KUBERNETES / folder))
    assert done.returncode == 0, done.stderr
    return by_name(done.stdout)


@cache
def templated(*options: str) -> Objects:
    """Return the objects of the chart with options of `helm template`. Do not change them."""
    done = run("helm", "template", "quorum", str(CHART), "--namespace", NAMESPACE, *options)
    assert done.returncode == 0, done.stderr
    return by_name(done.stdout)


def pods(objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the pod template of each group of pods."""
    for name, document in objects.items():
        spec = document.get("spec", {})
        if document["kind"] == "RayService":
            cluster = spec["rayClusterConfig"]
            yield f"{name}/head", cluster["headGroupSpec"]["template"]
            for group in cluster["workerGroupSpecs"]:
                yield f"{name}/{group['groupName']}", group["template"]
        elif document["kind"] == "CronJob":
            yield name, spec["jobTemplate"]["spec"]["template"]
        elif "template" in spec:
            yield name, spec["template"]


def containers(objects: Objects) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the name, the pod template and the container, for each container."""
    for name, template in pods(objects):
        for container in template["spec"]["containers"]:
            yield f"{name}/{container['name']}", template, container


def container(objects: Objects, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pod template and the container of a name as `containers` gives it."""
    return next((t, c) for found, t, c in containers(objects) if found == name)
