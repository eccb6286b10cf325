"""What `quorum status` tells: stores, Ray, applications, plan, models, counts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.connection import database
from cluster.console import CommandFailed
from cluster.failures import explain
from cluster.node import HOST, Node
from cluster.statements import statement
from cluster.stores import stores

if TYPE_CHECKING:
    from fraud.settings import Settings


def overview(settings: Settings) -> dict[str, Any]:
    """Everything that is up and everything that is not, as a JSON-ready document.

    A part that does not answer has `error` instead of what it would have said; nothing is raised.
    """
    node = Node.of(settings)
    raylet = node.running
    document: dict[str, Any] = {
        "home": str(settings.home),
        "url": f"http://{HOST}:{settings.http_port}",
        "stores": [_store(store) for store in stores(settings.home)],
        "ray": {
            "running": raylet,
            "address": node.address,
            "dashboard": f"http://{HOST}:{settings.dashboard_port}",
        },
        "applications": _deployed(node) if raylet else [],
        "models": champions(settings.artifacts),
    }
    try:
        document["records"] = asyncio.run(_records(settings))
    except Exception as error:
        known = explain(error)
        document["records"] = {"error": known.what if known else type(error).__name__}
    return document


def applications(details: dict[str, Any]) -> list[dict[str, Any]]:
    """Serve's details, cut down: each application with its deployments and their replicas."""
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


def champions(root: Path) -> list[dict[str, Any]]:
    """The champion of each variant under an artifact folder: its name, version and digest."""
    found = []
    for alias in sorted(root.glob("*/aliases/champion.json")):
        try:
            document = json.loads(alias.read_text(encoding="utf-8"))
            version, digest = document["version"], document["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            version, digest = None, None
        found.append({"variant": alias.parent.parent.name, "version": version, "digest": digest})
    return found


def applications_table(rows: list[dict[str, Any]]) -> Any:
    """A table of `applications`, one line a deployment."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("application", "status", "deployment", "replicas"):
        table.add_column(title)
    for application in rows:
        first = True
        for deployment in application["deployments"]:
            states = ", ".join(
                f"{n} {state.lower()}" for state, n in deployment["replicas"].items()
            )
            wanted = deployment["wanted"]
            table.add_row(
                application["name"] if first else "",
                application["status"] if first else "",
                deployment["name"],
                f"{states or 'none'}{f' of {wanted}' if wanted is not None else ''}",
            )
            first = False
    return table


def _store(store: Any) -> dict[str, Any]:
    if store.server is None:
        return {"name": store.name, "kind": "external", "variable": store.variable}
    return {
        "name": store.name,
        "kind": "embedded",
        "running": store.server.running,
        "pid": store.server.pid,
    }


def _deployed(node: Node) -> list[dict[str, Any]]:
    try:
        return applications(node.dashboard.serve_details())
    except (CommandFailed, OSError):
        return []


async def _records(settings: Settings) -> dict[str, Any]:
    async with database(settings) as connection:
        counts = await connection.fetchrow(statement("counts"), settings.tenant)
        plan = await connection.fetchrow(statement("active_plan"))
    return {
        "tenant": settings.tenant,
        "counts": dict(counts),
        "plan": dict(plan) if plan else None,
    }
