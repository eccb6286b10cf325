"""The time that writing a record took: part of the record, yet known only afterwards."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from decision_log.entry import MAX_ROWS
from fraud.record import RecordBatch

MAX_ENTRIES: Final = 16_384
"""Most entries remembered: some minutes of a busy machine. If PostgreSQL is down for longer, the
oldest records lack this one time."""


class _Writing(NamedTuple):
    stage_ms: dict[str, float]
    written: asyncio.Event


class WriteTimes:
    """Remembers the stage times of entries until they are shipped.

    The decider adds the time of the writing to the same dict when the writing is over. If the
    process is killed in between, only that one time is lost.
    """

    def __init__(self) -> None:
        self._writing: dict[str, _Writing] = {}

    def begin(self, records: RecordBatch) -> asyncio.Event:
        """Note that records are being written. Returns the event to set when that has ended."""
        written = asyncio.Event()
        writing = _Writing(records.decisions.stage_ms, written)
        for first in records.decisions.decision_id[::MAX_ROWS]:
            self._writing[first] = writing
        while len(self._writing) > MAX_ENTRIES:
            del self._writing[next(iter(self._writing))]
        return written

    async def fill_in(self, records: RecordBatch) -> None:
        """Complete the stage times of an entry that was read from the log."""
        writing = self._writing.get(records.decisions.decision_id[0])
        if writing is not None:
            await writing.written.wait()
            records.decisions.stage_ms = writing.stage_ms

    def forget(self, records: RecordBatch) -> None:
        """Note that records have left the log, or were never written to it."""
        for first in records.decisions.decision_id[::MAX_ROWS]:
            self._writing.pop(first, None)
