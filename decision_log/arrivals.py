"""Arrivals: answers that wait until PostgreSQL has their records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass

from decision_log.entry import MAX_ROWS
from fraud.record import RecordBatch


@dataclass(slots=True)
class _Awaited:
    """The records of one append: entries that have not arrived, and whether all others have."""

    rows: int
    entries: int
    arrived: asyncio.Future[bool]
    whole: bool = True


class Arrivals:
    """Tells waiting answers when their records have left the log. Call it from one event loop.

    An append is known by the id of its first decision, an entry by that of its own first.
    """

    def __init__(self) -> None:
        self._appends: dict[str, _Awaited] = {}
        self._entries: dict[str, _Awaited] = {}
        self.rows = 0
        """Records whose answers are withheld until they have arrived."""

    def expect(self, batches: Sequence[RecordBatch]) -> None:
        """Note that `wait` will be called for these records, which cannot have been shipped yet."""
        ids = _entry_ids(batches)
        rows = sum(map(len, batches))
        awaited = _Awaited(rows, len(ids), asyncio.get_running_loop().create_future())
        self._appends[ids[0]] = awaited
        self._entries |= dict.fromkeys(ids, awaited)
        self.rows += rows

    def are_expected(self, batches: Sequence[RecordBatch]) -> bool:
        """Return whether these records were given to `expect` and not forgotten."""
        return batches[0].decisions.decision_id[0] in self._appends

    def note(self, records: RecordBatch, refused: Set[str]) -> None:
        """Note that an entry has left the log.

        Args:
            records: those of the entry.
            refused: ids of decisions that PostgreSQL will never take.
        """
        awaited = self._entries.pop(records.decisions.decision_id[0], None)
        if awaited is None:
            return
        awaited.entries -= 1
        if refused and not refused.isdisjoint(records.decisions.decision_id):
            awaited.whole = False
        if not awaited.entries:
            self.rows -= awaited.rows
            awaited.arrived.set_result(awaited.whole)

    def forget(self, batches: Sequence[RecordBatch]) -> None:
        """Note that `wait` will not be called for these records any more. Idempotent."""
        ids = _entry_ids(batches)
        awaited = self._appends.pop(ids[0], None)
        if awaited is None or awaited.arrived.done():
            return
        self.rows -= awaited.rows
        for first in ids:
            self._entries.pop(first, None)

    async def wait(self, batches: Sequence[RecordBatch], timeout_s: float) -> bool | None:
        """Wait for records that are expected, for at most `timeout_s`, and forget them.

        Returns:
            Whether all of them are in PostgreSQL; None if that is not known, or if they are not
            expected.
        """
        awaited = self._appends.get(batches[0].decisions.decision_id[0])
        if awaited is None:
            return None
        try:
            done, _ = await asyncio.wait((awaited.arrived,), timeout=timeout_s)
            return awaited.arrived.result() if done else None
        finally:
            self.forget(batches)


def _entry_ids(batches: Sequence[RecordBatch]) -> list[str]:
    return [first for records in batches for first in records.decisions.decision_id[::MAX_ROWS]]
