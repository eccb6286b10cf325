"""What a load has done so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

_MOST_IDS = 20
"""Ids that a report names at most."""


@dataclass(slots=True)
class LoadReport:
    """What a load did.

    Attributes:
        source: SHA-256 over the layout and the file: a changed file is another source.
        rows: rows of the file read in this run.
        resumed_after: rows that an earlier run had done; they are not read again.
        loaded: new transactions.
        already_there: sound rows that the database already had.
        bad: rows rejected in all runs of this source; `rejects` lists them.
        reused: rows whose id belongs to another payment, rejected or kept apart as the layout says.
        reused_ids: the first of their ids -> their numbers in the file, from 1.
        labels: new labels.
        finished: the end of the file is reached.
        seconds, rows_per_s: of this run.
        rejects: file of the rejected rows, None if there are none.
        reasons: why rows were rejected in this run: see `RejectionReasons.as_list`.
        labels_left_out: reason -> labels that were left out of sound rows in this run.
    """

    file: str
    layout: str
    tenant: str
    source: str
    rows: int = 0
    resumed_after: int = 0
    loaded: int = 0
    already_there: int = 0
    bad: int = 0
    reused: int = 0
    reused_ids: dict[str, list[int]] = field(default_factory=dict)
    labels: int = 0
    finished: bool = False
    seconds: float = 0.0
    rows_per_s: float = 0.0
    rejects: str | None = None
    reasons: list[dict[str, Any]] = field(default_factory=list)
    labels_left_out: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return asdict(self)

    def add_reused(self, reused: dict[str, list[int]]) -> None:
        """Add rows whose id belongs to another payment: id -> their numbers in the file."""
        self.reused += sum(map(len, reused.values()))
        for one, rows in reused.items():
            if one in self.reused_ids or len(self.reused_ids) < _MOST_IDS:
                self.reused_ids.setdefault(one, []).extend(rows)


Progress = Callable[[LoadReport, float], None]
"""Called after every chunk with the report so far and the share of the file read, in [0, 1]."""
