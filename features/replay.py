"""Offline features: history replayed, in the order of arrival, through the code that serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from features.assemble import assemble, rows_to_remember
from features.events import Events
from features.store.memory import MemoryStore
from fraud.batch import FeatureBatch, TransactionBatch

CHUNK_ROWS = 4096
"""Rows whose states are read out together: bounds memory to some 40 MB."""


def replay(
    batches: Iterable[TransactionBatch], store: MemoryStore | None = None
) -> Iterator[FeatureBatch]:
    """Features of every row as they would have been served on arrival.

    Args:
        batches: history in the order of arrival; pass large ones freely.
        store: state to go on from; None: nothing has happened yet.

    Yields:
        Features in the order of the rows, in chunks of at most `CHUNK_ROWS`.
    """
    store = store or MemoryStore()
    for batch in batches:
        for start in range(0, len(batch), CHUNK_ROWS):
            part = batch.slice(start, start + CHUNK_ROWS)
            events = Events.of(part)
            observation = store.observe(events)
            features = assemble(part, events, observation)
            store.keep(rows_to_remember(events, observation, features))
            yield features
