"""What `quorum status` and `quorum deploy` print for people."""

from __future__ import annotations

from typing import Any


def status_table(report: dict[str, Any]) -> Any:
    """Return what `quorum status` prints: a line for each part, then the applications."""
    from rich.console import Group
    from rich.table import Table

    facts = Table(box=None, pad_edge=False, show_header=False)
    for store in report["stores"]:
        facts.add_row(store["name"], _store(store))
    ray = report["ray"]
    facts.add_row("Ray", f"up, dashboard {ray['dashboard']}" if ray["running"] else "down")
    for label, text in _records(report["records"]):
        facts.add_row(label, text)
    models = [f"{model['variant']} {model['version']}" for model in report["models"]]
    listed = ", ".join(models) or "none yet; run `quorum train`"
    facts.add_row("Models", report.get("models_error") or listed)
    parts: list[Any] = [facts]
    if "nodes" in report:
        parts += ["", report.get("nodes_error") or nodes_table(report["nodes"])]
    if report["applications"]:
        parts += ["", applications_table(report["applications"])]
    return Group(*parts)


def _store(store: dict[str, Any]) -> str:
    if store["kind"] == "external":
        state = "up" if store["running"] else f"down: {store['error']}"
        return f"external, {store['variable']}, {state}"
    return f"up, pid {store['pid']}" if store["running"] else "down"


def _records(records: dict[str, Any]) -> list[tuple[str, str]]:
    if "error" in records:
        return [("Records", records["error"])]
    plan = records["plan"]
    counts = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in records["counts"].items())
    return [
        ("Plan", f"{plan['name']} version {plan['version']}, {plan['kind']}" if plan else "none"),
        ("Records", f"{counts} (tenant {records['tenant']})"),
    ]


def nodes_table(rows: list[dict[str, Any]]) -> Any:
    """Return a table of `cluster.membership.nodes.nodes_of`, one line a node."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("node", "role", "ready", "version", "log lag", "replicas"):
        table.add_column(title)
    for node in rows:
        lag = node["log_lag_rows"]
        replicas = ", ".join(
            f"{name.removeprefix('variant-')}{f' x{n}' if n > 1 else ''}"
            for name, n in node["replicas"].items()
        )
        table.add_row(
            node["host"],
            node["role"],
            "yes" if node["ready"] else "no",
            node["version"] or "?",
            "?" if lag is None else f"{lag:,.0f} rows",
            replicas or "none",
        )
    return table


def applications_table(rows: list[dict[str, Any]]) -> Any:
    """Return a table of `cluster.run.status.applications`, one line a deployment."""
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
