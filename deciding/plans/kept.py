"""The copy of the active plan on this machine's disk: what a combiner starts with while PostgreSQL
is away."""

from __future__ import annotations

import json
from pathlib import Path

from fraud.plan import Plan
from stores.whole_file import replace_file


class KeptPlan:
    """A plan in a file. Several processes may write it: it is always one of theirs, and whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Plan | None:
        """The plan; None if there is none or the file cannot be read."""
        try:
            return Plan.from_document(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def save(self, plan: Plan) -> None:
        """Keep a plan in place of the last one, durably. Blocks.

        Raises:
            OSError: it cannot be written; the last one stays.
        """
        replace_file(self._path, plan.to_json().encode())
