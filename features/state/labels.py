"""Labels as events: verdicts on payments, and when they became known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from features.state.windows import DAY_MS

REACH_DAYS = 180
"""Labels that become known more than this many days after their payment are not counted, so that a
rebuild need not look further back."""

_REACH_MS = REACH_DAYS * DAY_MS


def counts(at_ms: int, known_at_ms: int) -> bool:
    """Whether a label known at `known_at_ms`, of a payment made at `at_ms`, is an event.

    >>> counts(0, 7 * 86_400_000)
    True
    """
    return known_at_ms - at_ms <= _REACH_MS


@dataclass(frozen=True, slots=True)
class LabelEvents:
    """n label events in the order in which they became known; those of one payment in the order of
    `known_at_ms`. A label older than the one in force for its payment is not an event, nor is one
    that does not count (`counts`).

    Attributes:
        tenant: of the labelled payments.
        known_at_ms: when each label became known, ms since the epoch, > 0.
        fraud: the verdicts.
        hundredths: amounts of the labelled payments in hundredths of a currency unit.
        ids: entity name (customer, merchant, device, counterparty) -> ids in the labelled payments,
            None for none.
        previous: known_at_ms and verdict of the label that this one replaces; None for the first.
    """

    tenant: list[str]
    known_at_ms: list[int]
    fraud: list[bool]
    hundredths: list[int]
    ids: dict[str, list[str | None]]
    previous: list[tuple[int, bool] | None]

    def __len__(self) -> int:
        return len(self.known_at_ms)

    def slice(self, start: int, stop: int) -> LabelEvents:
        """Events start .. stop-1."""
        return self.take(range(start, min(stop, len(self))))

    def take(self, rows: Sequence[int]) -> LabelEvents:
        """The events at `rows`, in that order."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "ids"}
        return LabelEvents(
            ids={name: [column[i] for i in rows] for name, column in self.ids.items()},
            **{name: [column[i] for i in rows] for name, column in columns.items()},
        )
