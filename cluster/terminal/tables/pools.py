"""What `quorum deploy` and `quorum variants` print for people."""

from __future__ import annotations

from typing import Any

from cluster.terminal.tables.status import applications_table


def deployed_table(report: dict[str, Any]) -> Any:
    """Return what `quorum deploy` prints: the applications, then pools that came and went."""
    from rich.console import Group
    from rich.text import Text

    return Group(applications_table(report["applications"]), *map(Text, _changes(report)))


def pools_table(report: dict[str, Any]) -> Any:
    """Return a table of the pools that must run, one line each."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("variant", no_wrap=True)
    for title in ("status", "why"):
        table.add_column(title)
    for pool in report["pools"]:
        table.add_row(pool["name"], pool["status"], pool["why"])
    return Group(table, *map(Text, _trouble(report)))


def _changes(report: dict[str, Any]) -> list[str]:
    added = [f"added {pool['name']}: {pool['why']}" for pool in report["pools"] if pool["added"]]
    removed = [f"removed {name}: nothing names it any more" for name in report["removed"]]
    return [*added, *removed, *_trouble(report)]


def _trouble(report: dict[str, Any]) -> list[str]:
    if not report["plans_error"]:
        return []
    return [f"an active plan cannot be read, so every pool stays: {report['plans_error']}"]
