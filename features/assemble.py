"""From what a store observed to features: the one path of online and offline."""

from __future__ import annotations

import numpy as np

from features.definitions import N_FEATURES, SCHEMA_ID
from features.events import Events, Key
from features.store.protocol import Observation
from features.transform import transform
from fraud.batch import FeatureBatch, TransactionBatch

_ROW_BYTES = N_FEATURES * 4


def assemble(batch: TransactionBatch, events: Events, observation: Observation) -> FeatureBatch:
    """Features of n rows. A row that repeats a transaction gets what that got the first time."""
    reading = observation.reading(events)
    values = transform(batch, reading)
    age_ms = reading.column("customer", "since_ms").copy()
    for i, kept in observation.recorded.items():
        values[i] = np.frombuffer(kept, dtype="<f4", count=N_FEATURES)
        age_ms[i] = int.from_bytes(kept[_ROW_BYTES:], "little", signed=True)
    for i, first in events.first_of().items():
        values[i] = values[first]
        age_ms[i] = age_ms[first]
    return FeatureBatch(values, SCHEMA_ID, age_ms, observation.degraded)


def rows_to_remember(
    events: Events, observation: Observation, features: FeatureBatch
) -> dict[Key, bytes]:
    """What to keep of the rows that were observed for the first time."""
    matrix = features.values.astype("<f4", copy=False)
    repeats = events.first_of()
    return {
        events.transaction[i]: matrix[i].tobytes()
        + int(features.age_ms[i]).to_bytes(8, "little", signed=True)
        for i in range(len(events))
        if i not in observation.recorded and i not in observation.repeated and i not in repeats
    }


def without_history(batch: TransactionBatch, reason: str) -> FeatureBatch:
    """Features of what the requests say alone; everything that needs state is NaN."""
    return assemble(batch, Events.of(batch), Observation.blind(len(batch), reason))
