"""The copy of the active plan on this machine's disk: a combiner starts with it while PostgreSQL is
away."""

from __future__ import annotations

import json
from pathlib import Path

from fraud.errors import InvalidInput
from fraud.plan import Plan
from stores.whole_file import replace_file


class LocalCopy:
    """A plan in a file. Several processes may write it: it always holds one whole plan."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Plan | None:
        """Return the plan; None if there is none or the file cannot be read."""
        try:
            return Plan.from_document(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, InvalidInput):
            return None

    def save(self, plan: Plan) -> None:
        """Replace the plan, durably. Blocks.

        Raises:
            OSError: the file cannot be written; the last plan stays.
        """
        replace_file(self._path, plan.to_json().encode())
