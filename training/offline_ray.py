"""Offline features with their arithmetic on Ray: the same bits as in one process.

State is replayed in this process, in order: what one payment sees is what the one before it left.
Reading windows out of the states and making features of them, which is more than half of the work,
needs no order: tasks do it, a chunk each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import ray

from data.load.payment_file import PaymentFile
from features.assemble import assemble
from features.backfill import CHUNK_ROWS, arrivals
from features.state.events import Events
from features.store.memory import MemoryStore
from fraud.payment.batch import FeatureBatch
from training.offline import passing
from training.ray.session import ray_session

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
    under_way: deque[Any] = deque()
    for batch, labels, before in arrivals(passing(payments, store), payments.label_events()):
        events = Events.of(batch)
        observation = store.observe(events, labels, before)
        under_way.append(task.remote(batch, events, observation))
        if len(under_way) > most_waiting:
            yield ray.get(under_way.popleft())
    while under_way:
        yield ray.get(under_way.popleft())
