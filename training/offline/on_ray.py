"""Offline features with part of the work on Ray: the same bits as in one process.

This process updates the states in the order of time, since each payment sees the state that the
previous one left. Reading windows from the states and computing features, which is more than half
of the work, needs no order: Ray tasks do it, one chunk each.
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
from training.offline.features import forgetful_batches
from training.ray_runtime.session import ray_session

_CHUNK_BYTES = CHUNK_ROWS * 24_000
"""The largest size of the states and features of a chunk."""


def on_ray(address: str | None, workers: int) -> Callable[[PaymentFile], Iterator[FeatureBatch]]:
    """A backfill on Ray, for `training.offline.features.write_features`.

    Args:
        address: a running Ray; None for a private one.
        workers: chunks computed at a time, one CPU each, >= 1.
    """

    def compute(payments: PaymentFile) -> Iterator[FeatureBatch]:
        waiting = workers + 1
        with ray_session(address, (waiting + workers) * _CHUNK_BYTES):
            yield from _compute(payments, waiting)

    return compute


def _compute(payments: PaymentFile, most_waiting: int) -> Iterator[FeatureBatch]:
    task = ray.remote(num_cpus=1)(assemble)
    store = MemoryStore()
    under_way: deque[Any] = deque()
    for batch, labels, before in arrivals(
        forgetful_batches(payments, store), payments.label_events()
    ):
        events = Events.of(batch)
        observation = store.observe(events, labels, before)
        under_way.append(task.remote(batch, events, observation))
        if len(under_way) > most_waiting:
            yield ray.get(under_way.popleft())
    while under_way:
        yield ray.get(under_way.popleft())
