"""Numbers read from states, by name."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.families.view import Flow, Position
from features.state.entities import ROLES, Role
from features.state.read_layout import READ_LAYOUT
from features.state.reading import Reading
from fraud.payment.batch import Int64


def _absent() -> Int64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class WindowAggregates:
    """Numbers read from the states of n entities at n moments.

    What an entity keeps no state of is an empty array, or None.

    Attributes:
        present: bool[n]: the transaction names this entity and its state could be read.
        count, total, squares: int64[n, n_windows]: events; sum of amounts in hundredths of a
            unit; sum of squared amounts in hundredths of a squared unit.
        distinct: partner -> int64[n, n_windows].
        since_ms: int64[n]: since the newest event, >= 0; -1 if there is none within 60 days.
        partner_since_s: partner -> int64[n]: since the entity last met the partner that this
            transaction names, >= 0; -1 if not within 60 days.
        known, frauds, fraud_total: int64[n, 3] over `LABEL_WINDOWS` (24 h, 7 d, 30 d): labels
            that became known, frauds among them, the frauds' amounts in hundredths of a unit.
        fraud_known_age_ms: int64[n]: since the start of the newest label tile with a fraud in it,
            of the narrowest tiles that have one, >= 0; -1 if there is none within 30 days.
        fraud_run_age_ms: int64[n]: since the start of the oldest day of the current run of
            frauds: back from the newest day with a fraud over gaps of at most 10 days; -1 if
            there is none within 30 days.
        largest: int64[n, 3] over `LARGEST_WINDOWS` (7 d, 30 d, 60 d): largest amount in
            hundredths of a unit, 0 if there is none.
        near: int64[n, 2] over `NEAR_WINDOWS` (7 d, 30 d): payments just under the threshold.
        category_count, category_total: int64[n]: payments of the last 60 days in the category
            that this transaction names (-1: it names none), and in all categories.
        position: where its payments were made.
        flow: what the account received and paid.
    """

    present: NDArray[np.bool_]
    count: Int64
    total: Int64
    squares: Int64
    distinct: dict[str, Int64]
    since_ms: Int64
    partner_since_s: dict[str, Int64]
    known: Int64 = field(default_factory=_absent)
    frauds: Int64 = field(default_factory=_absent)
    fraud_total: Int64 = field(default_factory=_absent)
    fraud_known_age_ms: Int64 = field(default_factory=_absent)
    fraud_run_age_ms: Int64 = field(default_factory=_absent)
    largest: Int64 = field(default_factory=_absent)
    near: Int64 = field(default_factory=_absent)
    category_count: Int64 = field(default_factory=_absent)
    category_total: Int64 = field(default_factory=_absent)
    position: Position | None = None
    flow: Flow | None = None


def aggregates_of(reading: Reading) -> dict[str, WindowAggregates]:
    """Role -> its numbers by their names; roles in which no row has a state are left out."""
    there = np.any(reading.present, axis=0)
    return {
        view.role.name: view.of(reading.seen, reading.present[:, r])
        for r, view in enumerate(_views())
        if there[r]
    }


class _View:
    """Where the numbers of one role lie in what is read."""

    def __init__(self, role: Role) -> None:
        self.role = role
        groups = role.entity.groups
        self._sums = [self._columns(name) for name in ("count", "total", "squares")]
        self._since = self._column("since_ms")
        partners = [table.partner for table in role.entity.tables]
        self._distinct = [(p, self._columns(f"distinct:{p}")) for p in partners]
        self._met = [(p, self._column(f"since:{p}")) for p in partners]
        others: list[tuple[str, Any]] = []
        if "labels" in groups:
            others += [(name, self._columns(name)) for name in ("known", "frauds", "fraud_total")]
            ages = "fraud_known_age_ms", "fraud_run_age_ms"
            others += [(name, self._column(name)) for name in ages]
        if "largest" in groups:
            others.append(("largest", self._columns("largest")))
        if "near" in groups:
            others.append(("near", self._columns("near")))
        if "categories" in groups:
            counts = "category_count", "category_total"
            others += [(name, self._column(name)) for name in counts]
        self._others = others
        place = [f"position_{part.name}" for part in fields(Position)]
        self._place = [self._column(name) for name in place] if role.entity.located else None
        flow = [f"flow_{part.name}" for part in fields(Flow)]
        self._flow = (
            [self._column(name) if name.endswith("_ms") else self._columns(name) for name in flow]
            if "inflow" in groups
            else None
        )

    def of(self, seen: Int64, present: NDArray[np.bool_]) -> WindowAggregates:
        """What was read of n rows."""
        count, total, squares = [seen[at] for at in self._sums]
        others: dict[str, Any] = {name: seen[at] for name, at in self._others}
        if self._place is not None:
            others["position"] = Position(*[seen[at] for at in self._place])
        if self._flow is not None:
            others["flow"] = Flow(*[seen[at] for at in self._flow])
        return WindowAggregates(
            present,
            count,
            total,
            squares,
            {partner: seen[at] for partner, at in self._distinct},
            seen[self._since],
            {partner: seen[at] for partner, at in self._met},
            **others,
        )

    def _columns(self, name: str) -> tuple[slice, slice]:
        """Of all rows those called `name`; none if there are none."""
        return slice(None), slice(*READ_LAYOUT.columns.get((self.role.name, name), (0, 0)))

    def _column(self, name: str) -> Any:
        """Of all rows the one called `name`."""
        return slice(None), READ_LAYOUT.columns[self.role.name, name][0]


@cache
def _views() -> list[_View]:
    return [_View(role) for role in ROLES]
