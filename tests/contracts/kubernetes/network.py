"""What NetworkPolicies allow, by the rules of https://kubernetes.io/docs/concepts/services-networking/network-policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.contracts.kubernetes.manifests import NAMESPACE, Objects


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection: a pod, or an address outside of the cluster.

    Attributes:
        labels: of the pod.
        namespace: of the pod; "" for an address outside.
        address: its IP address.
    """

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = NAMESPACE
    address: str = "10.1.2.3"


def allowed(objects: Objects, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Return whether the policies let a connection through, on both ends."""
    policies = [d["spec"] for d in objects.values() if d["kind"] == "NetworkPolicy"]
    return _passes(policies, "Egress", source, target, port, protocol) and _passes(
        policies, "Ingress", target, source, port, protocol
    )


def _passes(
    policies: list[Any], direction: str, here: Peer, there: Peer, port: int, protocol: str
) -> bool:
    if here.namespace != NAMESPACE:
        return True  # these policies are not about it
    ours = [
        policy
        for policy in policies
        if direction in policy["policyTypes"] and _matches(policy["podSelector"], here.labels)
    ]
    side = "to" if direction == "Egress" else "from"
    return not ours or any(
        _port(rule, port, protocol) and _peer(rule.get(side), there)
        for policy in ours
        for rule in policy.get(direction.lower(), ())
    )


def _port(rule: Any, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        item["protocol"] == protocol and item["port"] <= port <= item.get("endPort", item["port"])
        for item in ports
    )


def _peer(peers: Any, there: Peer) -> bool:
    return not peers or any(_one(peer, there) for peer in peers)


def _one(peer: Any, there: Peer) -> bool:
    if "ipBlock" in peer:
        block, address = peer["ipBlock"], ip_address(there.address)
        inside = address in ip_network(block["cidr"])
        return inside and not any(address in ip_network(e) for e in block.get("except", ()))
    if not there.namespace:
        return False
    names = {"kubernetes.io/metadata.name": there.namespace}
    if "namespaceSelector" in peer:
        if not _matches(peer["namespaceSelector"], names):
            return False
    elif there.namespace != NAMESPACE:
        return False
    return _matches(peer.get("podSelector", {}), there.labels)


def _matches(selector: Any, labels: dict[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}
    return bool(selector.get("matchLabels", {}).items() <= labels.items())
