"""`quorum status`."""

from __future__ import annotations

from typing import Any

from cluster.terminal.terminal import JsonFlag, emit


def status(as_json: JsonFlag = False) -> None:
    """Say what is up: stores, Ray, applications, plan, models, records."""
    from cluster.run.overview import overview
    from settings.settings import Settings

    emit(overview(Settings.load()), as_json, _render)


def _render(report: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table

    from cluster.run.overview import applications_table

    facts = Table(box=None, pad_edge=False, show_header=False)
    for store in report["stores"]:
        facts.add_row(store["name"], _store(store))
    ray = report["ray"]
    facts.add_row("Ray", f"up, dashboard {ray['dashboard']}" if ray["running"] else "down")
    for label, said in _records(report["records"]):
        facts.add_row(label, said)
    models = [f"{model['variant']} {model['version']}" for model in report["models"]]
    said = report.get("models_error") or ", ".join(models) or "none; `quorum train` makes them"
    facts.add_row("Models", said)
    if not report["applications"]:
        return facts
    return Group(facts, "", applications_table(report["applications"]))


def _store(store: dict[str, Any]) -> str:
    if store["kind"] == "external":
        said = "up" if store["running"] else f"down: {store['error']}"
        return f"external, {store['variable']}, {said}"
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
