"""The nodes of a Quorum as `quorum status` shows them."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cluster.errors import CommandFailed
from cluster.node.addresses import in_url
from cluster.node.deploy import READY_PATH
from cluster.node.gcs import Gcs, RayNode
from cluster.node.labels import PORT_LABEL, VERSION_LABEL
from cluster.node.node import Node
from deployments.spread import ROLE_LABEL

_ANSWER_S = 3.0
_LAG_ROWS, _LAG_SECONDS = "fraud_log_lag_rows", "fraud_log_lag_seconds"


def nodes_of(node: Node, details: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a document for each node: `host`, `role`, `state`, `version`, `ready`, `replicas`
    (deployment -> number that run), `log_lag_rows`, `log_lag_seconds`.

    What a node does not tell is None.

    Args:
        node: this machine's.
        details: Serve's details.

    Raises:
        CommandFailed: the head does not answer.
    """
    found = [there for there in Gcs(node.address).nodes() if there.state == "alive"]
    by_node = _replicas(details)
    with ThreadPoolExecutor(max(1, min(16, len(found)))) as pool:
        own = list(pool.map(_own_state, found))
    return [
        {
            "host": there.host,
            "role": "head" if there.is_head else there.labels.get(ROLE_LABEL, "worker"),
            "state": there.state,
            "version": there.labels.get(VERSION_LABEL),
            "replicas": dict(sorted(by_node.get(there.node_id, Counter()).items())),
            **state,
        }
        for there, state in zip(found, own, strict=True)
    ]


def _replicas(details: dict[str, Any]) -> dict[str, Counter[str]]:
    """Return node id -> deployment -> number of replicas that run."""
    found: dict[str, Counter[str]] = {}
    for name, application in details.get("applications", {}).items():
        for deployment, state in application.get("deployments", {}).items():
            pool = name if deployment == "Variant" else deployment
            for replica in state.get("replicas", ()):
                if replica.get("state") == "RUNNING":
                    found.setdefault(str(replica.get("node_id")), Counter())[pool] += 1
    return found


def _own_state(there: RayNode) -> dict[str, Any]:
    """Return what a node says of itself at its own port."""
    url = f"http://{in_url(there.host)}:{there.labels.get(PORT_LABEL, '8001')}"
    state: dict[str, Any] = {"ready": _status(url + READY_PATH) == 200}
    text = _text(url + "/metrics")
    state["log_lag_rows"] = _sum(text, _LAG_ROWS)
    state["log_lag_seconds"] = _sum(text, _LAG_SECONDS)
    return state


def _status(url: str) -> int | None:
    try:
        with _DIRECT.open(url, timeout=_ANSWER_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _text(url: str) -> str:
    try:
        with _DIRECT.open(url, timeout=_ANSWER_S) as answer:
            text: str = answer.read().decode(errors="replace")
            return text
    except OSError:
        return ""


def _sum(text: str, name: str) -> float | None:
    """Return the sum of a metric's samples; None if there is none."""
    found = [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith((f"{name} ", f"{name}{{"))
    ]
    return sum(found) if found else None


# Proxies named by the environment are not for the nodes of a cluster.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def nodes_or_error(node: Node, details: dict[str, Any]) -> dict[str, Any]:
    """Return `nodes`, or `nodes_error` if the head does not answer."""
    try:
        return {"nodes": nodes_of(node, details)}
    except CommandFailed as error:
        return {"nodes": [], "nodes_error": error.what}
