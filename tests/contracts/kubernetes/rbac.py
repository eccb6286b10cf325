"""What the roles of a service account allow, for `ApiServer.allows`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.contracts.kubernetes.manifests import Objects

_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


def rules_of(objects: Objects, account: str) -> list[dict[str, Any]]:
    """Return the rules of all roles that a service account is bound to."""
    found: list[dict[str, Any]] = []
    for document in objects.values():
        if any(subject["name"] == account for subject in document.get("subjects", ())):
            role = document["roleRef"]
            found += objects[f"{role['kind']}/{role['name']}"]["rules"]
    return found


def allows(rules: list[dict[str, Any]]) -> Callable[[str, str], bool]:
    """Return whether rules allow a request: a function of its method and path."""

    def allowed(method: str, path: str) -> bool:
        parts = path.strip("/").split("/")
        group = parts[1] if parts[0] == "apis" else ""
        parts = parts[3 if parts[0] == "apis" else 2 :]
        if parts[0] == "namespaces":
            parts = parts[2:]
        resource, name = parts[0], parts[1] if len(parts) > 1 else None
        verb = _VERBS.get(method) or ("get" if name else "list")
        return any(
            group in rule["apiGroups"]
            and resource in rule["resources"]
            and verb in rule["verbs"]
            and (not rule.get("resourceNames") or name in rule["resourceNames"])
            for rule in rules
        )

    return allowed
