"""`quorum status`."""

from __future__ import annotations

from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.tables.status import status_table


def status(as_json: JsonFlag = False) -> None:
    """Show what is running: stores, Ray, applications, plan, models and counts of records."""
    from cluster.run.status import collect_status
    from settings.settings import Settings

    emit(collect_status(Settings.load()), as_json, status_table)
