"""From what a store observed to features: the one path of online and offline."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.definitions import NAMES, SCHEMA_ID
from features.degraded import FEATURES_UNAVAILABLE, TRANSACTION_REUSED
from features.events import Events, Key
from features.remembered import read_row, rows_of
from features.store.protocol import Observation
from features.transform import transform
from fraud.batch import FeatureBatch, Float32, Int64, TransactionBatch

_SAID = np.array(
    [
        NAMES.index(f"request_{what}")
        for what in (
            *("amount", "currency_code", "type_code"),
            *("channel_code", "category_code", "country_code"),
        )
    ]
)


def assemble(batch: TransactionBatch, events: Events, observation: Observation) -> FeatureBatch:
    """Features of n rows. A row that repeats a transaction gets what that got the first time, if it
    is the same payment by what it says; see `degraded.TRANSACTION_REUSED`."""
    reading = observation.reading(events)
    values = transform(batch, reading)
    age_ms = reading.column("customer", "since_ms").copy()
    reused = False
    for i, first, first_age_ms in _first_times(events, observation, values, age_ms):
        if say_the_same(values[i], first):
            values[i], age_ms[i] = first, first_age_ms
        else:
            reused = True
    degraded = (*observation.degraded, TRANSACTION_REUSED) if reused else observation.degraded
    return FeatureBatch(values, SCHEMA_ID, age_ms, degraded)


def _first_times(
    events: Events, observation: Observation, values: Float32, age_ms: Int64
) -> Iterator[tuple[int, Float32, int]]:
    """Rows that repeat a transaction, and what it got the first time: what is on record first, as
    a row of this batch that others repeat may be put right by that."""
    for i, kept in observation.recorded.items():
        yield i, *read_row(kept)
    for i, k in events.first_of().items():
        yield i, values[k], int(age_ms[k])


def say_the_same(values: Float32, first: Float32) -> bool:
    """Whether two rows, float32[n_features], are of one payment by what their requests say; when
    it was does not count, as a retry may be stamped anew."""
    return bool(values[_SAID].tobytes() == first[_SAID].tobytes())


def rows_to_remember(
    events: Events, observation: Observation, features: FeatureBatch
) -> tuple[list[Key], bytes]:
    """What to keep of the rows that were observed for the first time: arguments of
    `FeatureStore.remember`, from the second on."""
    known = observation.recorded.keys() | observation.repeated | events.first_of().keys()
    transactions, values, age_ms = events.transaction, features.values, features.age_ms
    if known:
        new = [i for i in range(len(events)) if i not in known]
        transactions, values, age_ms = [transactions[i] for i in new], values[new], age_ms[new]
    return transactions, rows_of(values, age_ms)


def without_history(batch: TransactionBatch) -> FeatureBatch:
    """Features of what the requests say alone; everything that needs state is NaN."""
    blind = Observation.blind(len(batch), FEATURES_UNAVAILABLE)
    return assemble(batch, Events.of(batch), blind)
