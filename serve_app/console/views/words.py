"""Numbers, moments and states as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bulk.jobs.state import JobState

STATES: Final[dict[JobState, tuple[str, str]]] = {
    JobState.WAITING: ("waits for you", "The file is matched. Look at the match, then score it."),
    JobState.QUEUED: ("queued", "The job waits for its turn."),
    JobState.READING: ("reading", "The file is read and cut into parts."),
    JobState.SCORING: ("scoring", "The models score the rows."),
    JobState.FINISHING: ("finishing", "Scores are combined and the result is written."),
    JobState.DONE: ("done", "Every row has its result."),
    JobState.REFUSED: ("refused", "No model fits this file."),
    JobState.FAILED: ("failed", "The job could not be finished."),
    JobState.CANCELLED: ("cancelled", "The job was stopped. It left no result."),
}
"""state -> (a word or two, one sentence)."""

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


def count(number: int | float | None) -> str:
    """Write a count: `1,234`; a dash if it is unknown."""
    return "–" if number is None else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """Write a share in [0, 1] with about three digits.

    >>> percent(0.5), percent(0.0123), percent(0.00004)
    ('50\xa0%', '1.23\xa0%', '0.004\xa0%')
    """
    if share is None or not math.isfinite(share):
        return "–"
    digits = max(0, 2 - math.floor(math.log10(abs(share) * 100))) if share else 0
    text = f"{share * 100:.{min(digits, 4)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}\u00a0%"


def score(value: float | None) -> str:
    """Write a number in [0, 1] with two digits; a dash if it is unknown."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.2f}"


def size(number: int) -> str:
    """Write a number of bytes.

    >>> size(900), size(5 * 1024**3)
    ('900 bytes', '5 GiB')
    """
    value, unit = float(number), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.3g} {_UNITS[unit]}" if value < 1000 else f"{value:.0f} {_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Write a time span in whole seconds, minutes or hours, rounded up; a dash if unknown.

    >>> duration(4.2), duration(61), duration(7300)
    ('5 s', '2 min', '3 h')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds <= 60:
        return f"{math.ceil(seconds)} s"
    if seconds <= 3600:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 3600)} h"


def moment(at: datetime | None) -> str:
    """Write a moment to the minute, in UTC; a dash if there is none."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def listed(names: Sequence[str]) -> str:
    """Write names as a list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def state_word(state: JobState) -> str:
    """Return the state in a word or two."""
    return STATES[state][0]


def state_sentence(state: JobState) -> str:
    """Return what the state means."""
    return STATES[state][1]
