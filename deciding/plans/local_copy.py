"""The copy of the active plans on this machine's disk: a combiner starts with it while PostgreSQL
is away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deciding.plans.versions import read_document
from fraud.errors import InvalidInput
from fraud.plan import Plan
from fraud.variant import HOUSE
from stores.whole_file import replace_file

_OWNERS = "owners"


class LocalCopy:
    """The plan of each owner, in one file. Several processes may write it: it is always whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Plan]:
        """Return owner -> plan, without plans that cannot be read; empty if there is no file."""
        try:
            document = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        plans = {}
        for owner, kept in _by_owner(document).items():
            try:
                plans[owner] = read_document(kept)
            except InvalidInput:
                continue
        return plans

    def save(self, plans: Mapping[str, Plan]) -> None:
        """Replace the plans, durably. Blocks.

        Raises:
            OSError: the file cannot be written; the last plans stay.
        """
        owners = {owner: plan.to_document() for owner, plan in plans.items()}
        replace_file(self._path, json.dumps({_OWNERS: owners}, sort_keys=True).encode())


def _by_owner(document: Any) -> dict[str, Any]:
    """The documents in a file. Before tenants had plans it held the house's alone."""
    if not isinstance(document, dict):
        return {}
    owners = document.get(_OWNERS)
    return owners if isinstance(owners, dict) else {HOUSE: document}
