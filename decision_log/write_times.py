"""How long writing a record took: known only once it is written, and told with its decision."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from decision_log.entry import MAX_ROWS
from fraud.record import RecordBatch

MOST_ENTRIES: Final = 16_384
"""Entries remembered at most: some minutes of a busy machine. While PostgreSQL is away for longer,
the oldest are kept without this one time."""


class _Writing(NamedTuple):
    stage_ms: dict[str, float]
    written: asyncio.Event


class WriteTimes:
    """Remembers the stages of what is being written until it is shipped.

    Whoever decides adds the time of the writing to the same dict as soon as the writing is over.
    Of a process that is killed in between only that one time is lost.
    """

    def __init__(self) -> None:
        self._writing: dict[str, _Writing] = {}

    def begin(self, records: RecordBatch) -> asyncio.Event:
        """These records are being written; set the event when that is over, however it ended."""
        written = asyncio.Event()
        writing = _Writing(records.decisions.stage_ms, written)
        for first in records.decisions.decision_id[::MAX_ROWS]:
            self._writing[first] = writing
        while len(self._writing) > MOST_ENTRIES:
            del self._writing[next(iter(self._writing))]
        return written

    async def fill_in(self, records: RecordBatch) -> None:
        """Give an entry that was read from the log all of its stages."""
        writing = self._writing.get(records.decisions.decision_id[0])
        if writing is not None:
            await writing.written.wait()
            records.decisions.stage_ms = writing.stage_ms

    def forget(self, records: RecordBatch) -> None:
        """These records have left the log, or never came to lie in it."""
        for first in records.decisions.decision_id[::MAX_ROWS]:
            self._writing.pop(first, None)
