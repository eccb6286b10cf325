"""Offline features with their arithmetic on Ray: the same bits as in one process.

State is replayed in this process, in order: what one payment sees is what the one before it left.
Reading windows out of the states and making features of them, which is more than half of the work,
needs no order: tasks do it, a chunk each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.compute as pc
import ray

from features.assemble import assemble, say_the_same
from features.events import Events
from features.replay import CHUNK_ROWS, arrivals
from features.store.memory import MemoryStore
from fraud.batch import FeatureBatch, Float32, TransactionBatch
from training.data.batches import PaymentFile
from training.offline import passing
from training.ray_session import ray_session

_CHUNK_BYTES = CHUNK_ROWS * 24_000
"""States and features of a chunk, at most."""


def on_ray(address: str | None, workers: int) -> Callable[[PaymentFile], Iterator[FeatureBatch]]:
    """A way to compute features for `training.offline.write_features`.

    Args:
        address: of a running Ray; None: one of its own.
        workers: chunks that are worked on at a time, one CPU each, >= 1.
    """

    def replayed(payments: PaymentFile) -> Iterator[FeatureBatch]:
        waiting = workers + 1
        with ray_session(address, (waiting + workers) * _CHUNK_BYTES):
            yield from _replayed(payments, waiting)

    return replayed


def _replayed(payments: PaymentFile, most_waiting: int) -> Iterator[FeatureBatch]:
    task = ray.remote(num_cpus=1)(assemble)
    store = MemoryStore()
    repeats = _Repeats(payments)
    under_way: deque[tuple[TransactionBatch, frozenset[int], Any]] = deque()
    for batch, labels, before in arrivals(passing(payments, store), payments.label_events()):
        events = Events.of(batch)
        observation = store.observe(events, labels, before)
        under_way.append((batch, observation.repeated, task.remote(batch, events, observation)))
        if len(under_way) > most_waiting:
            yield repeats.settle(*_done(under_way.popleft()))
    while under_way:
        yield repeats.settle(*_done(under_way.popleft()))


def _done(
    item: tuple[TransactionBatch, frozenset[int], Any],
) -> tuple[TransactionBatch, frozenset[int], FeatureBatch]:
    batch, repeated, coming = item
    return batch, repeated, ray.get(coming)


class _Repeats:
    """Rows that repeat a transaction id get what the first one got, which this process does not
    know yet when it observes them."""

    def __init__(self, payments: PaymentFile) -> None:
        counted = pc.value_counts(payments.table["transaction_id"])
        often = pc.filter(counted.field("values"), pc.greater(counted.field("counts"), 1))
        self._ids = frozenset(often.to_pylist())
        self._values: dict[str, Float32] = {}

    def settle(
        self, batch: TransactionBatch, repeated: frozenset[int], features: FeatureBatch
    ) -> FeatureBatch:
        """Features with those of repeated rows put right. Chunks must come in order.

        Args:
            repeated: rows that were not observed, because their transaction was.
        """
        if not self._ids:
            return features
        values = np.array(features.values)
        for i, transaction in enumerate(batch.transaction_id):
            if transaction not in self._ids:
                continue
            if i not in repeated:
                self._values[transaction] = values[i].copy()
            elif say_the_same(values[i], self._values[transaction]):
                values[i] = self._values[transaction]
        return replace(features, values=values)
