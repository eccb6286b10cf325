"""From what a store observed to features: the one path of online and offline."""

from __future__ import annotations

from features.definitions import SCHEMA_ID
from features.degraded import FEATURES_UNAVAILABLE
from features.events import Events, Key
from features.remembered import read_row, rows_of
from features.store.protocol import Observation
from features.transform import transform
from fraud.batch import FeatureBatch, TransactionBatch


def assemble(batch: TransactionBatch, events: Events, observation: Observation) -> FeatureBatch:
    """Features of n rows. A row that repeats a transaction gets what that got the first time."""
    reading = observation.reading(events)
    values = transform(batch, reading)
    age_ms = reading.column("customer", "since_ms").copy()
    for i, kept in observation.recorded.items():
        values[i], age_ms[i] = read_row(kept)
    for i, first in events.first_of().items():
        values[i] = values[first]
        age_ms[i] = age_ms[first]
    return FeatureBatch(values, SCHEMA_ID, age_ms, observation.degraded)


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
