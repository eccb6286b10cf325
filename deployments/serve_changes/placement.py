"""Where Serve's controller puts replicas: each node gets a full set of them.

Calls between replicas of one machine are the cheapest (`deployments/links`), so every node has one
Ingress, one Combiner, one FeatureFetch and one replica of each variant. Serve's own ways do not
give that: its SPREAD leaves two replicas of a deployment on one node and none on another, and
`max_replicas_per_node: 1` leaves no place for the new replicas of a roll-out that starts them
before it stops the old ones.

`after_serve.py` imports it for its effect: it replaces a class that Ray does not document, so
`tests/unit/deployments/serve_changes/test_placement.py` fails when a release changes what it relies
on. Without several nodes Serve decides as ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ray.serve._private import default_impl, deployment_scheduler

from deployments.spread import ROLE_LABEL, note_spread


class EvenScheduler(deployment_scheduler.DeploymentScheduler):
    """Puts a new replica on the node with the fewest replicas of its deployment, and stops one on
    the node with the most."""

    def schedule(self, upscales: Any, downscales: Any) -> Any:
        """See the base class. Serve's controller calls this on every turn of its loop."""
        self._serving = self._serving_nodes()
        needed = {
            deployment: everywhere(running.values(), self._serving)
            for deployment, running in self._running_replicas.items()
        }
        note_spread(len(self._serving), needed)
        return super().schedule(upscales, downscales)

    def _serving_nodes(self) -> list[str]:
        """Return the ids of the nodes that carry replicas: alive, not draining, with CPUs for
        them, without a role of their own. Sorted."""
        cache = self._cluster_node_info_cache
        totals = cache.get_total_resources_per_node()
        return sorted(
            node
            for node in cache.get_active_node_ids()
            if totals.get(node, {}).get("CPU", 0) >= 1
            and not cache.get_node_labels(node).get(ROLE_LABEL)
        )

    def _schedule_with_spread_strategy(self) -> None:
        if len(self._serving) < 2:
            super()._schedule_with_spread_strategy()  # type: ignore[no-untyped-call]
            return
        for deployment, pending in self._pending_replicas.items():
            for request in list(pending.values()):
                self._schedule_replica(
                    scheduling_request=request,
                    default_scheduling_strategy="SPREAD",
                    target_node_id=emptiest(self._serving, self._per_node(deployment)),
                )

    def _get_replicas_to_stop(
        self, deployment_id: Any, max_num_to_stop: int, *gang: Any, **gangs: Any
    ) -> Any:
        if len(self._serving) < 2 or any(gang) or any(gangs.values()):
            return super()._get_replicas_to_stop(deployment_id, max_num_to_stop, *gang, **gangs)
        unstarted = [
            *self._pending_replicas[deployment_id],
            *self._launching_replicas[deployment_id],
            *self._recovering_replicas[deployment_id],
        ]
        running = self._running_replicas[deployment_id]
        stopped = unstarted[:max_num_to_stop]
        stopped += surplus(running, max_num_to_stop - len(stopped), self._serving)
        return set(stopped)

    def _per_node(self, deployment_id: Any) -> Counter[str]:
        """Return node -> number of replicas of a deployment there, those being started included."""
        counts = Counter(self._running_replicas[deployment_id].values())
        for launching in self._launching_replicas[deployment_id].values():
            if launching.target_node_id:
                counts[launching.target_node_id] += 1
        return counts


def everywhere(running: Iterable[str], nodes: list[str]) -> int:
    """Return the fewest replicas with which every node gets one: those that run and one for each
    node without, or as many as there are nodes if all have one.

    Args:
        running: the node of each replica.
        nodes: the nodes that carry replicas.

    >>> everywhere(["a", "a"], ["a", "b"]), everywhere(["a", "b", "b"], ["a", "b"])
    (3, 2)
    """
    here = [node for node in running if node in nodes]
    without = len(set(nodes).difference(here))
    return len(here) + without if without else len(nodes)


def emptiest(nodes: list[str], counts: Mapping[str, int]) -> str:
    """Return the node with the fewest replicas; the first of several.

    >>> emptiest(["a", "b", "c"], {"a": 1, "b": 0, "c": 0})
    'b'
    """
    return min(nodes, key=lambda node: counts.get(node, 0))


def surplus(running: Mapping[Any, str], n: int, nodes: list[str]) -> list[Any]:
    """Return n replicas to stop, so that those that stay are spread evenly.

    Args:
        running: replica -> its node, the oldest replica first.
        n: how many to stop; all if it is larger.
        nodes: the nodes that carry replicas. Replicas on others are stopped first.

    >>> surplus({"old": "a", "new": "a", "other": "b"}, 1, ["a", "b"])
    ['new']
    """
    left = list(running.items())
    stopped: list[Any] = []
    while left and len(stopped) < n:
        counts = Counter(node for _, node in left)
        # Of several, the newest: the last one.
        at = max(
            range(len(left)),
            key=lambda i: (left[i][1] not in nodes, counts[left[i][1]], i),
        )
        stopped.append(left.pop(at)[0])
    return stopped


default_impl.DeploymentScheduler = EvenScheduler  # type: ignore[attr-defined]
