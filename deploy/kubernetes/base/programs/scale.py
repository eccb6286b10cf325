"""Sets the number of workers by their processor time, as a HorizontalPodAutoscaler would.

Such an autoscaler needs an object with a scale; a RayService has none. This program applies the
same formula (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale):

    wanted = ceil(workers * mean use / target)

between `minReplicas` and `maxReplicas` of the RayService's group, which are the bounds. Within 10 %
of the target nothing changes. More workers come at once, at most twice as many as there are. One
worker at a time goes, and only if none was needed for five minutes.

What is written is the RayCluster that serves now, not the RayService: KubeRay passes neither number
on to a cluster that runs. More workers: `minReplicas`, which Ray's autoscaler carries out. One
fewer: KubeRay deletes the pod that `workersToDelete` names, and its `preStop` drains it. A cluster
that is being prepared by an upgrade gets as many workers as the one it replaces.
"""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubernetes_api import JSON_PATCH, KubernetesApi, Refused

TOLERANCE = 0.1
"""A use within this share of the target changes nothing."""
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Fewest and most workers, and the processors that each may use on average.

    Attributes:
        least, most: of the RayService's group, 1 <= least <= most.
        target: processors of one worker, > 0.
    """

    least: int
    most: int
    target: float


def processors(quantity: str) -> float:
    """Return processors from Kubernetes' notation.

    >>> processors("1500m"), processors("2"), processors("250000000n")
    (1.5, 2.0, 0.25)
    """
    found = re.fullmatch(r"([0-9.]+)([numk]?)", quantity)
    if found is None:
        raise ValueError(f"{quantity!r}: expected a quantity of processors, such as 1500m")
    return float(found[1]) * _UNITS[found[2]]


def wanted(workers: int, uses: list[float], bounds: Bounds) -> int:
    """Return how many workers are needed.

    Args:
        workers: how many there are now.
        uses: processors that each measured worker uses. A worker that is starting has none, and
            counts as one that uses nothing if more are wanted, else as one at the target.

    >>> wanted(3, [3.0, 3.0, 3.0], Bounds(3, 50, 1.5))
    6
    >>> wanted(3, [1.6, 1.5, 1.4], Bounds(3, 50, 1.5))
    3
    >>> wanted(6, [0.5] * 6, Bounds(3, 50, 1.5))
    3
    """
    if not uses:
        return min(max(workers, bounds.least), bounds.most)
    ratio = sum(uses) / len(uses) / bounds.target
    unknown = max(0, workers - len(uses))
    filled = sum(uses) + (0.0 if ratio > 1 else unknown * bounds.target)
    ratio = filled / max(workers, len(uses)) / bounds.target
    number = workers
    if abs(ratio - 1.0) > TOLERANCE:
        # Not above 2.0000000000000004 either.
        number = min(math.ceil(round(workers * ratio, 9)), 2 * max(1, workers))
    return min(max(number, bounds.least), bounds.most)


class Steady:
    """The largest number that was wanted within a span of time: fewer workers only after it.

    Args:
        span_s: the span, >= 0.
        clock: seconds that never go back.
    """

    def __init__(self, span_s: float, clock: Callable[[], float]) -> None:
        self._span_s = span_s
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._start = clock()

    def __call__(self, number: int, workers: int) -> int:
        """Return the number to have. Until the span is over once, no fewer than now."""
        now = self._clock()
        self._seen.append((now, number))
        while self._seen[0][0] < now - self._span_s:
            self._seen.popleft()
        largest = max(value for _, value in self._seen)
        return max(largest, workers) if now - self._start < self._span_s else largest


class Scaler:
    """Looks once, and changes the clusters of one RayService.

    Args:
        api: the Kubernetes cluster.
        service: name of the RayService.
        group: name of the group of workers.
        target: share of the processors that a worker requests, 0 to 1.
        steady: see there.
        say: where a line for each change goes.
    """

    def __init__(
        self,
        api: KubernetesApi,
        service: str,
        group: str,
        target: float,
        steady: Steady,
        say: Callable[[str], None],
    ) -> None:
        self._api = api
        self._group = group
        self._target = target
        self._steady = steady
        self._say = say
        namespace = api.namespace
        self._service = f"/apis/ray.io/v1/namespaces/{namespace}/rayservices/{service}"
        self._clusters = f"/apis/ray.io/v1/namespaces/{namespace}/rayclusters"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._metrics = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"

    def look(self) -> None:
        """Measure, and change what has to.

        Raises:
            Refused, OSError: the API refuses or does not answer; the next look tries again.
        """
        service = self._api.get(self._service)
        status = service.get("status", {})
        active = _name(status, "activeServiceStatus")
        if not active:
            return  # the first cluster is being prepared
        _, group = _group(service["spec"]["rayClusterConfig"], self._group)
        bounds = self._bounds(group)
        cluster = self._api.get(f"{self._clusters}/{active}")
        pods = self._workers(active)
        uses = self._uses(active, {pod["metadata"]["name"] for pod in pods})
        index, now = _group(cluster["spec"], self._group)
        number = self._steady(wanted(len(pods), uses, bounds), len(pods))
        if number > now["minReplicas"]:
            self._raise(active, index, now["minReplicas"], number)
        elif number < min(now["minReplicas"], len(pods)):
            self._remove_one(active, index, now, pods)
        pending = _name(status, "pendingServiceStatus")
        if pending and pending != active:
            self._prepare(pending, max(number, len(pods)))

    def _bounds(self, group: Any) -> Bounds:
        request = group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
        target = processors(str(request)) * self._target
        return Bounds(group["minReplicas"], group["maxReplicas"], target)

    def _workers(self, cluster: str) -> list[Any]:
        """Return the pods of the group that are not being deleted."""
        selector = f"ray.io/cluster={cluster},ray.io/group={self._group}"
        found = self._api.get(self._pods, labelSelector=selector)["items"]
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def _uses(self, cluster: str, pods: set[str]) -> list[float]:
        selector = f"ray.io/cluster={cluster},ray.io/group={self._group}"
        measured = self._api.get(self._metrics, labelSelector=selector)["items"]
        return [
            sum(processors(container["usage"]["cpu"]) for container in pod["containers"])
            for pod in measured
            if pod["metadata"]["name"] in pods
        ]

    def _raise(self, cluster: str, index: int, now: int, number: int) -> None:
        place = f"/spec/workerGroupSpecs/{index}/minReplicas"
        change = [_test(place, now), {"op": "replace", "path": place, "value": number}]
        self._api.patch(f"{self._clusters}/{cluster}", change, JSON_PATCH)
        self._say(f"{cluster}: {now} -> {number} workers")

    def _remove_one(self, cluster: str, index: int, group: Any, pods: list[Any]) -> None:
        """Let KubeRay delete the newest pod; one that is not ready, if there is any."""
        chosen = max(pods, key=lambda pod: (not _ready(pod), pod["metadata"]["creationTimestamp"]))
        name = chosen["metadata"]["name"]
        number = len(pods) - 1
        place = f"/spec/workerGroupSpecs/{index}"
        change = [
            # Ray's autoscaler writes the same fields: if it was faster, the next look decides.
            *(_test(f"{place}/{key}", group[key]) for key in ("minReplicas", "replicas")),
            {"op": "replace", "path": f"{place}/minReplicas", "value": number},
            {"op": "replace", "path": f"{place}/replicas", "value": number},
            {"op": "add", "path": f"{place}/scaleStrategy", "value": {"workersToDelete": [name]}},
        ]
        self._api.patch(f"{self._clusters}/{cluster}", change, JSON_PATCH)
        self._say(f"{cluster}: {number + 1} -> {number} workers: {name} goes")

    def _prepare(self, cluster: str, number: int) -> None:
        try:
            document = self._api.get(f"{self._clusters}/{cluster}")
        except Refused as refused:
            if refused.status == 404:  # KubeRay has not made it yet
                return
            raise
        index, group = _group(document["spec"], self._group)
        if group["minReplicas"] < number:
            self._raise(cluster, index, group["minReplicas"], number)


def _test(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _name(status: Any, which: str) -> str:
    return str(status.get(which, {}).get("rayClusterName") or "")


def _group(cluster: Any, name: str) -> tuple[int, Any]:
    groups: Iterable[Any] = cluster["workerGroupSpecs"]
    return next((i, group) for i, group in enumerate(groups) if group["groupName"] == name)


def _ready(pod: Any) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def main() -> None:
    """Look every so often, until SIGTERM."""
    # The first process of a container ignores it unless it asks for it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    environment = os.environ
    interval_s = float(environment["SCALE_INTERVAL_S"])
    scaler = Scaler(
        KubernetesApi.of_this_pod(),
        environment["RAY_SERVICE"],
        environment["WORKER_GROUP"],
        float(environment["SCALE_TARGET"]),
        Steady(float(environment["SCALE_DOWN_AFTER_S"]), time.monotonic),
        lambda line: print(line, flush=True),
    )
    while True:
        try:
            scaler.look()
        except (Refused, OSError) as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
        time.sleep(interval_s)


if __name__ == "__main__":
    main()
