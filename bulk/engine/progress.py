"""How far a job is, and how fast."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bulk.jobs.state import JobState

WINDOW_S = 30.0
"""The speed is that of the last so many seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        state: of the job.
        rows_done: rows read while the file is read, then rows with a score.
        rows_total: None until the file is read.
        rows_per_s: speed of the present phase; None if it is unknown.
    """

    state: JobState
    rows_done: int = 0
    rows_total: int | None = None
    rows_per_s: float | None = None


class Speed:
    """Rows a second over the last `WINDOW_S`."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, rows: int, at_s: float) -> None:
        """Note how many rows are done at a moment; both never fall."""
        self._seen.append((at_s, rows))
        # One older moment stays: parts end seldom, and the speed between them is no jump.
        while len(self._seen) > 2 and self._seen[1][0] <= at_s - WINDOW_S:
            self._seen.popleft()

    def rows_per_s(self) -> float | None:
        """Return the speed; None before rows were done."""
        if len(self._seen) < 2:
            return None
        (began_s, first), (ended_s, last) = self._seen[0], self._seen[-1]
        if ended_s <= began_s or last <= first:
            return None
        return (last - first) / (ended_s - began_s)
