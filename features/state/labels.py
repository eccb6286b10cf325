"""Labels as events: what became known of payments, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from features.state.windows import DAY_MS

REACH_DAYS = 180
"""A label that becomes known later than so many days after its payment is not counted: a rebuild
need not look further back."""

_REACH_MS = REACH_DAYS * DAY_MS


def counts(at_ms: int, known_at_ms: int) -> bool:
    """Whether a label that became known at `known_at_ms` of a payment of `at_ms` is an event.

    >>> counts(0, 7 * 86_400_000)
    True
    """
    return known_at_ms - at_ms <= _REACH_MS


@dataclass(frozen=True, slots=True)
class LabelEvents:
    """n label events, in the order in which they became known; those of one payment in the order
    of `known_at_ms`. A label that is older than the one in force of its payment is not an event,
    nor is one that does not count (`counts`).

    Attributes:
        tenant: whose payments.
        known_at_ms: when each label became known, ms since the epoch, > 0.
        fraud: what it says.
        hundredths: amount of the labelled payment in hundredths of a currency unit.
        ids: entity name (customer, merchant, device, counterparty) -> ids that the labelled
            payments name, None where they name none.
        previous: known_at_ms and verdict of the label that this one replaces; None: the first.
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
