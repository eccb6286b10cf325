"""Offline features: history, in the order of arrival, through the code that serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

import numpy as np

from features.assemble import assemble, rows_to_remember
from features.state.entities import ENTITIES
from features.state.events import Events
from features.state.labels import LabelEvents
from features.store.memory import MemoryStore
from fraud.payment.batch import FeatureBatch, Int64, TransactionBatch

CHUNK_ROWS = 4096
"""Rows whose states are copied together: 100 MB at most."""


def backfill(
    batches: Iterable[TransactionBatch],
    labels: Iterable[LabelEvents] = (),
    store: MemoryStore | None = None,
) -> Iterator[FeatureBatch]:
    """Features of every row as they would have been served on arrival.

    Each label is learnt before the first payment made at or after the time it became known.

    Args:
        batches: history in the order of arrival, in batches of any size.
        labels: label events in the order in which they became known, in parts of any size. Labels
            known after the newest payment are not learnt.
        store: state to continue from; None: no history.

    Yields:
        Features in the order of the rows, in chunks of at most `CHUNK_ROWS`.
    """
    store = store or MemoryStore()
    for arrival in arrivals(batches, labels):
        yield backfill_chunk(store, *arrival)


def arrivals(
    batches: Iterable[TransactionBatch], labels: Iterable[LabelEvents] = ()
) -> Iterator[tuple[TransactionBatch, LabelEvents, Int64]]:
    """Cut history, given as to `backfill`, into chunks of at most `CHUNK_ROWS`. Yields arguments of
    `backfill_chunk`: rows, the labels learnt among them, and their places."""
    pending = _PendingLabels(labels)
    newest_ms = 0
    for batch in batches:
        for start in range(0, len(batch), CHUNK_ROWS):
            part = batch.slice(start, start + CHUNK_ROWS)
            clock = np.maximum.accumulate(np.array([newest_ms, *part.timestamp_ms], np.int64))[1:]
            newest_ms = int(clock[-1])
            known = pending.until(newest_ms)
            before = np.searchsorted(clock, np.array(known.known_at_ms, np.int64), side="left")
            yield part, known, before


def backfill_chunk(
    store: MemoryStore, batch: TransactionBatch, labels: LabelEvents, before: Int64
) -> FeatureBatch:
    """Features of n rows, with m labels learnt among them.

    Args:
        store: the state so far, updated with rows and labels.
        batch: n payments in the order of arrival.
        labels: m label events.
        before: int64[m], rising, in [0, n]: label j is learnt before row `before[j]`.
    """
    events = Events.of(batch)
    observation = store.observe(events, labels, before)
    features = assemble(batch, events, observation)
    store.keep(*rows_to_remember(events, observation, features))
    return features


class _PendingLabels:
    """Label events that are not known yet, read as far as needed."""

    def __init__(self, parts: Iterable[LabelEvents]) -> None:
        self._parts = iter(parts)
        self._part = joined(())
        self._known_at_ms: Int64 = np.empty(0, np.int64)
        self._start = 0

    def until(self, at_ms: int) -> LabelEvents:
        """Take the events known at `at_ms`."""
        found: list[LabelEvents] = []
        while self._left() or self._read():
            stop = int(np.searchsorted(self._known_at_ms, at_ms, side="right"))
            if stop > self._start:
                found.append(self._part.slice(self._start, stop))
                self._start = stop
            if self._left():
                break
        return joined(found)

    def _left(self) -> int:
        return len(self._known_at_ms) - self._start

    def _read(self) -> bool:
        part = next(self._parts, None)
        if part is None:
            return False
        self._part, self._start = part, 0
        self._known_at_ms = np.array(part.known_at_ms, np.int64)
        return True


def joined(parts: Sequence[LabelEvents]) -> LabelEvents:
    """Concatenate label events; `parts` may be empty."""
    if len(parts) == 1:
        return parts[0]
    columns = {
        f.name: [value for part in parts for value in getattr(part, f.name)]
        for f in fields(LabelEvents)
        if f.name != "ids"
    }
    ids = {e.name: [value for part in parts for value in part.ids[e.name]] for e in ENTITIES}
    return LabelEvents(ids=ids, **columns)
