"""Every object is valid, strictly: no unknown field, no value of a wrong type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from tests.contracts.kubernetes.manifests import FOLDERS, KUBERNETES, rendered, templated
from tests.contracts.kubernetes.tools import MISSING

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason=f"kubernetes-validate {MISSING}"
)

#: The oldest release that has all fields, and the newest.
RELEASES = ("1.33", "1.37")
CUSTOM = {
    "ray.io/v1/RayService": "rayservice.json",
    "monitoring.coreos.com/v1/PodMonitor": "podmonitor.json",
}


@pytest.fixture(autouse=True, scope="module")
def schemas_read_once() -> Iterator[None]:
    """Keep what the package would read from disk for each object: megabytes."""
    with pytest.MonkeyPatch.context() as patch:
        utils = kubernetes_validate.utils
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@cache
def core(release: str) -> Resource[Any]:
    """Return Kubernetes' own strict definitions, to which our schemas refer."""
    path = f"kubernetes-json-schema/v{release}.0-local-strict/_definitions.json"
    return Resource.from_contents(kubernetes_validate.utils.schema_contents(path, release))


def check(document: dict[str, Any], release: str) -> None:
    """Check one object. Raises jsonschema's ValidationError."""
    schema = CUSTOM.get(f"{document['apiVersion']}/{document['kind']}")
    if schema is None:
        kubernetes_validate.validate(document, release, strict=True)
        return
    registry = Registry().with_resource("kubernetes:core", core(release))
    contents = json.loads((KUBERNETES / "schemas" / schema).read_text())
    jsonschema.Draft202012Validator(contents, registry=registry).validate(document)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_objects_of_kustomize_are_valid(folder: str, release: str) -> None:
    for document in rendered(folder).values():
        check(document, release)


@pytest.mark.parametrize("release", RELEASES)
def test_objects_of_the_chart_are_valid(release: str) -> None:
    switches = ("stores", "artifactsVolume", "monitoring")
    options = [part for name in switches for part in ("--set", f"{name}.enabled=true")]
    for document in templated(*options).values():
        check(document, release)


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (
            ("rayClusterConfig", "gcsFaultToleranceOptions", "redisAdress"),
            "redis:6379",
            "redisAdress",
        ),
        (("excludeHeadPodFromServeSvc",), "yes", "yes"),
        (("upgradeStrategy", "type"), "Rolling", "Rolling"),
        (("rayClusterConfig", "autoscalerOptions", "version"), "v3", "v3"),
        (("rayClusterConfig", "headGroupSpec", "rayStartParams", "num-cpus"), 0, "0 is not"),
        (("rayClusterConfig", "headGroupSpec", "template", "spec", "hostname"), 3, "3 is not"),
        (("rayClusterConfig", "headGroupSpec", "template", "spec", "cpus"), 3, "cpus"),
        (("rayClusterConfig", "upgradeStrategy"), {"type": "None"}, "upgradeStrategy"),
    ],
)
def test_a_wrong_field_of_a_rayservice_is_found(
    place: tuple[str, ...], value: Any, named: str
) -> None:
    document = deepcopy(rendered("base")["RayService/quorum"])
    node = document["spec"]
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError, match=named):
        check(document, RELEASES[-1])


def test_a_wrong_field_of_a_pod_monitor_is_found() -> None:
    document = deepcopy(rendered("overlays/production")["PodMonitor/quorum"])
    document["spec"]["podMetricsEndpoints"][0]["portName"] = "node"
    with pytest.raises(jsonschema.ValidationError, match="portName"):
        check(document, RELEASES[-1])
