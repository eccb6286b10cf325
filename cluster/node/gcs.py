"""The head's Ray over the network, from a machine that may not belong to the cluster yet.

Imports ray, which takes seconds. `ray drain-node` and the dashboard use the same client, which Ray
does not document; `tests/cluster/cluster/node/test_gcs.py` fails when a release changes it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from cluster.errors import CommandFailed

T = TypeVar("T")

_NAMESPACE = b"quorum"
_CLUSTER = b"cluster"
_TIMEOUT_S = 5.0


def within(timeout_s: float, call: Callable[[], T]) -> T:
    """Return what a call returns that knows no time-out of its own.

    Raises:
        TimeoutError: it has not returned in time; it goes on in a thread that nobody waits for.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True, name="within").start()
    return done.result(timeout_s)


@dataclass(frozen=True, slots=True)
class RayNode:
    """A node, as the head knows it.

    Attributes:
        node_id: hexadecimal.
        host: its address.
        is_head: whether it is the head.
        state: `alive` or `dead`.
        labels: its labels; see `cluster.node.labels`.
    """

    node_id: str
    host: str
    is_head: bool
    state: str
    labels: dict[str, str]


class TokenRefused(CommandFailed):
    """A head answers, but does not accept our token."""


class Gcs:
    """The head's store of Ray's state (the GCS).

    Args:
        address: `host:port`.

    Raises:
        TokenRefused: it does not accept our token.
        CommandFailed: nothing listens there, or it does not answer; so for each method.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        host, _, port = address.rpartition(":")
        try:
            # Ray's client waits for a minute where nothing listens.
            socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S).close()
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise CommandFailed(
                f"no head node at {address}: {why}",
                "`quorum up --host ADDRESS` starts one there; see QUORUM_RAY_PORT",
            ) from error
        from ray._raylet import GcsClient  # type: ignore[attr-defined]

        with self._explained():
            self._client = GcsClient(address=address)
            self._client.internal_kv_get(_CLUSTER, _NAMESPACE, timeout=_TIMEOUT_S)

    def cluster_id(self) -> str | None:
        """Return the identity that the head gave the cluster; None if it is no Quorum's."""
        with self._explained():
            found = self._client.internal_kv_get(_CLUSTER, _NAMESPACE, timeout=_TIMEOUT_S)
        return None if found is None else bytes(found).decode()

    def set_cluster_id(self, cluster_id: str) -> None:
        """Write the identity of the cluster, for nodes that join."""
        with self._explained():
            self._client.internal_kv_put(
                _CLUSTER, cluster_id.encode(), True, _NAMESPACE, timeout=_TIMEOUT_S
            )

    def nodes(self) -> list[RayNode]:
        """Return every node that is or was part of the cluster; the head first, then by address."""
        from ray.core.generated.gcs_pb2 import GcsNodeInfo  # type: ignore[attr-defined]

        alive = GcsNodeInfo.GcsNodeState.ALIVE
        with self._explained():
            known = self._client.get_all_node_info(timeout=_TIMEOUT_S)
        found = [
            RayNode(
                node_id=node_id.hex(),
                host=str(info.node_manager_address),
                is_head=bool(info.is_head_node),
                state="alive" if info.state == alive else "dead",
                labels=dict(info.labels),
            )
            for node_id, info in known.items()
        ]
        return sorted(found, key=lambda node: (not node.is_head, node.host))

    def drain(self, node_id: str, deadline_ms: int) -> None:
        """Ask for a node's replicas to move elsewhere.

        Args:
            node_id: hexadecimal.
            deadline_ms: when the node ends, in ms since the epoch.

        Raises:
            CommandFailed: it is refused.
        """
        from ray.core.generated import autoscaler_pb2

        reason = autoscaler_pb2.DrainNodeReason.Value(  # type: ignore[attr-defined]
            "DRAIN_NODE_REASON_PREEMPTION"
        )
        with self._explained():
            accepted, why = within(
                _TIMEOUT_S,
                lambda: self._client.drain_node(node_id, reason, "quorum leave", deadline_ms),
            )
        if not accepted:
            raise CommandFailed(f"Ray does not drain this node: {why}", "see `quorum status`")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an error of Ray's client into one line."""
        try:
            yield
        except Exception as error:  # Ray's errors have no common class
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> CommandFailed:
        text = str(error)
        if "auth" in text.lower() or "UNAUTHENTICATED" in text:
            return TokenRefused(
                f"the head at {self._address} does not accept our token",
                "set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file, to the head's token",
            )
        return CommandFailed(f"the head at {self._address} does not answer: {text[:200]}", "")
