"""What `quorum status` reports: stores, Ray, applications, plan, models, counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from cluster.home.connection import check_external, database
from cluster.home.local_stores import stores_of
from cluster.home.paths import require_home
from cluster.membership.nodes import nodes_or_error
from cluster.node.node import Node
from cluster.terminal.failures import explain
from stores.statements import statement

if TYPE_CHECKING:
    from cluster.home.local_stores import Store
    from models.store.store import ArtifactStore
    from settings.settings import Settings

_PLAN_COLUMNS = ("name", "version", "kind", "created_at")


def collect_status(settings: Settings) -> dict[str, Any]:
    """Return the state of every part of Quorum as a JSON-ready document.

    A part that does not answer has an `error` instead of its figures.

    Raises:
        CommandFailed: there is no Quorum here.
    """
    from fraud.errors import ArtifactsUnavailable, InvalidInput
    from models.store.location import store_of

    require_home(settings)
    node = Node.of(settings)
    raylet = node.running
    details = _details(node) if raylet else {}
    document: dict[str, Any] = {
        "home": str(settings.home),
        "url": node.url,
        "stores": [_store(settings, store) for store in stores_of(settings.home)],
        "ray": {
            "running": raylet,
            "address": node.address,
            "dashboard": node.dashboard.url,
        },
        "applications": applications(details),
        "models": [],
    }
    if node.several and raylet:
        document |= nodes_or_error(node, details)
    try:
        document["models"] = champions(store_of(settings))
    except (ArtifactsUnavailable, InvalidInput) as error:
        document["models_error"] = str(error.args[0])
    try:
        document["records"] = asyncio.run(_records(settings))
    except Exception as error:
        known = explain(error)
        document["records"] = {"error": known.what if known else type(error).__name__}
    return document


def applications(details: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a summary of Serve's details: applications, their deployments, and replicas by
    state."""
    return [
        {
            "name": name,
            "status": application["status"],
            "route": application.get("route_prefix"),
            "deployments": [
                {
                    "name": deployment,
                    "status": state["status"],
                    "wanted": state.get("target_num_replicas"),
                    "replicas": dict(Counter(r["state"] for r in state.get("replicas", []))),
                }
                for deployment, state in sorted(application.get("deployments", {}).items())
            ],
        }
        for name, application in sorted(details.get("applications", {}).items())
    ]


def champions(store: ArtifactStore) -> list[dict[str, Any]]:
    """Return the champion of each variant and owner in a store: its version and digest, both None
    if the alias is broken. A tenant's is called `mine/xgboost`, the house's `xgboost`."""
    from fraud.errors import ArtifactRefused
    from models.artifact import REFERENCE_PREFIX
    from models.store.alias import CHAMPION

    found = []
    models = {v: s for v, s in store.variants().items() if not v.startswith(REFERENCE_PREFIX)}
    for variant, shelf in models.items():
        for owner, names in sorted(shelf.owned.items()):
            if CHAMPION not in names:
                continue
            try:
                alias = store.alias(variant, CHAMPION, owner)
            except ArtifactRefused:
                alias = None
            version, digest = (alias.version, alias.digest) if alias else (None, None)
            name = f"{owner}/{variant}" if owner else variant
            found.append({"variant": name, "version": version, "digest": digest})
    return found


def _store(settings: Settings, store: Store) -> dict[str, Any]:
    if store.server is None:
        document = {"name": store.name, "kind": "external", "variable": store.variable}
        try:
            asyncio.run(check_external(settings, store.variable))
        except Exception as error:
            known = explain(error)
            return document | {
                "running": False,
                "error": str(known) if known else type(error).__name__,
            }
        return document | {"running": True}
    return {
        "name": store.name,
        "kind": "embedded",
        "running": store.server.running,
        "pid": store.server.pid,
    }


def _details(node: Node) -> dict[str, Any]:
    try:
        return node.dashboard.serve_details()
    except (CommandFailed, OSError):
        return {}


async def _records(settings: Settings) -> dict[str, Any]:
    from deciding.plans.versions import read_active
    from fraud.variant import HOUSE

    async with database(settings) as connection:
        counts = await connection.fetchrow(statement("cluster/sql/counts.sql"), settings.tenant)
        plan = await read_active(connection, HOUSE)
    return {
        "tenant": settings.tenant,
        "counts": dict(counts),
        "plan": plan and {name: getattr(plan, name) for name in _PLAN_COLUMNS},
    }
