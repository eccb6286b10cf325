"""From what a store observed to features: the one path of online and offline."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.definitions import NAMES, SCHEMA_ID
from features.degraded import FEATURES_UNAVAILABLE, TRANSACTION_REUSED
from features.first_features import Remembered, read_row, rows_of
from features.state.events import Events, Key
from features.store.interface import Observation
from features.transform import transform
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch

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
    is the same payment by what it says; see `degraded.TRANSACTION_REUSED`. Of rows of one
    transaction in one batch the first is the payment, unless an earlier batch had it."""
    reading = observation.reading(events)
    values = transform(batch, reading)
    age_ms = reading.column("customer", "since_ms").copy()
    degraded: list[tuple[str, ...]] = [()] * len(batch)
    for i, why in observation.degraded.items():
        degraded[i] = why
    features = FeatureBatch(values, SCHEMA_ID, age_ms, degraded)
    for i, first in _first_times(events, observation, features):
        same = np.array_equal(events.hashes[i], first.who)
        if same and say_the_same(values[i], first.values):
            values[i], age_ms[i], degraded[i] = first.values, first.age_ms, first.degraded
        else:
            degraded[i] = (*degraded[i], TRANSACTION_REUSED)
    return features


def _first_times(
    events: Events, observation: Observation, features: FeatureBatch
) -> Iterator[tuple[int, Remembered]]:
    """Rows that repeat a transaction, and what it got the first time: what is on record; where
    nothing is, what the first row of the batch got."""
    for i, kept in observation.recorded.items():
        yield i, read_row(kept)
    for i, k in events.first_of().items():
        if i not in observation.recorded:
            values, age_ms = features.values[k], int(features.age_ms[k])
            yield i, Remembered(values, age_ms, events.hashes[k], features.degraded[k])


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
    named, degraded = events.hashes, features.degraded
    if known:
        new = [i for i in range(len(events)) if i not in known]
        transactions, values, age_ms = [transactions[i] for i in new], values[new], age_ms[new]
        named, degraded = named[new], [degraded[i] for i in new]
    return transactions, rows_of(values, age_ms, named, degraded)


def without_history(batch: TransactionBatch) -> FeatureBatch:
    """Features of what the requests say alone; everything that needs state is NaN."""
    blind = Observation.blind(len(batch), FEATURES_UNAVAILABLE)
    return assemble(batch, Events.of(batch), blind)
