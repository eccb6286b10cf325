"""The days between which the system of record is searched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from features.state.labels import REACH_DAYS
from features.state.windows import DAY_MS, HORIZON_MS

_DAY = timedelta(days=1)
HORIZON = timedelta(days=HORIZON_MS // DAY_MS + 1)
"""No feature looks back further."""
LABELLED_WITHIN = timedelta(days=REACH_DAYS + 32)
"""A label counts up to `REACH_DAYS` after its payment and shows for 30 days, in whole tiles."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds as SQL literals: PostgreSQL then plans and opens only the partitions between them,
    however many there are. Whole days: the text changes once a day, so that plans stay cached.

    Attributes:
        since: earlier payments are invisible to any payment that may come.
        labelled_since: labels of earlier payments are invisible.
        until: no payment from here on has come yet.
    """

    since: str
    labelled_since: str
    until: str

    @classmethod
    def everything(cls) -> Span:
        """No bounds: for payments of any time."""
        return cls(moment("-infinity"), moment("-infinity"), moment("infinity"))

    @classmethod
    def around(cls, now: datetime, late: timedelta, early: timedelta) -> Span:
        """The bounds for payments that arrive at `now` or later.

        Args:
            now: the present, with a time zone.
            late: the longest time from a payment to its arrival.
            early: how far a payment's timestamp may lie ahead of its arrival.
        """
        return cls(
            since=day(now - late - HORIZON),
            labelled_since=day(now - late - LABELLED_WITHIN),
            until=day(now + early + 2 * _DAY),
        )


def day(at: datetime) -> str:
    """The start of the day (UTC) of a moment, as a literal.

    >>> day(datetime(2026, 3, 1, 12, tzinfo=UTC))
    "timestamptz '2026-03-01 00:00:00+00'"
    """
    return moment(f"{at.astimezone(UTC):%Y-%m-%d} 00:00:00+00")


def moment(text: str) -> str:
    """A moment as a literal."""
    return f"timestamptz '{text}'"
