"""From a store's observation to features: one path for online and offline."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.definitions import NAMES, SCHEMA_ID
from features.degraded import FEATURES_UNAVAILABLE, TRANSACTION_REUSED
from features.first_features import FirstFeatures, pack_rows, unpack_row
from features.state.events import Events, Key
from features.store.interface import Observation
from features.transform import transform
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch

_REQUEST_COLUMNS = np.array(
    [
        NAMES.index(f"request_{what}")
        for what in (
            *("amount", "currency_code", "type_code"),
            *("channel_code", "category_code", "country_code"),
        )
    ]
)


def assemble(batch: TransactionBatch, events: Events, observation: Observation) -> FeatureBatch:
    """Features of n rows. A row that repeats a transaction gets the features of the first time, if
    its request describes the same payment; see `degraded.TRANSACTION_REUSED`. Of several rows of
    one transaction in a batch the first is the payment, unless an earlier batch had it."""
    reading = observation.reading(events)
    values = transform(batch, reading)
    age_ms = reading.column("customer", "since_ms").copy()
    degraded: list[tuple[str, ...]] = [()] * len(batch)
    for i, why in observation.degraded.items():
        degraded[i] = why
    features = FeatureBatch(values, SCHEMA_ID, age_ms, degraded)
    for i, first in _repeats(events, observation, features):
        same = np.array_equal(events.hashes[i], first.hashes)
        if same and is_same_request(values[i], first.values):
            values[i], age_ms[i], degraded[i] = first.values, first.age_ms, first.degraded
        else:
            degraded[i] = (*degraded[i], TRANSACTION_REUSED)
    return features


def _repeats(
    events: Events, observation: Observation, features: FeatureBatch
) -> Iterator[tuple[int, FirstFeatures]]:
    """Yield rows that repeat a transaction, with its first features: those recorded, or else those
    of the first row of the batch."""
    for i, kept in observation.recorded.items():
        yield i, unpack_row(kept)
    for i, k in events.first_of().items():
        if i not in observation.recorded:
            values, age_ms = features.values[k], int(features.age_ms[k])
            yield i, FirstFeatures(values, age_ms, events.hashes[k], features.degraded[k])


def is_same_request(values: Float32, first: Float32) -> bool:
    """Whether the requests of two rows, float32[n_features], describe the same payment. Time is
    ignored: a retry may have a new timestamp."""
    return bool(values[_REQUEST_COLUMNS].tobytes() == first[_REQUEST_COLUMNS].tobytes())


def rows_to_remember(
    events: Events, observation: Observation, features: FeatureBatch
) -> tuple[list[Key], bytes]:
    """The rows that were observed for the first time: the arguments of `FeatureStore.remember`
    after the receipt."""
    known = observation.recorded.keys() | observation.repeated | events.first_of().keys()
    transactions, values, age_ms = events.transaction, features.values, features.age_ms
    named, degraded = events.hashes, features.degraded
    if known:
        new = [i for i in range(len(events)) if i not in known]
        transactions, values, age_ms = [transactions[i] for i in new], values[new], age_ms[new]
        named, degraded = named[new], [degraded[i] for i in new]
    return transactions, pack_rows(values, age_ms, named, degraded)


def without_history(batch: TransactionBatch) -> FeatureBatch:
    """Features from the requests alone; everything that needs state is NaN."""
    blind = Observation.blind(len(batch), FEATURES_UNAVAILABLE)
    return assemble(batch, Events.of(batch), blind)
