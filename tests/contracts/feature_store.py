"""What every feature store does, in memory or on Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from features.assemble import assemble, rows_to_remember
from features.entities import ENTITIES
from features.events import Events
from features.store.protocol import FeatureStore
from features.tiles import empty, observe
from fraud.batch import FeatureBatch, TransactionBatch
from tests.contracts.payments import payments

StoreMaker = Callable[[], Awaitable[FeatureStore]]


async def serve(store: FeatureStore, batch: TransactionBatch) -> FeatureBatch:
    """Observe, assemble and remember, as the service does."""
    events = Events.of(batch)
    observation = await store.observe_and_fetch(events)
    features = assemble(batch, events, observation)
    await store.remember(rows_to_remember(events, observation, features))
    return features


def bits(features: FeatureBatch) -> bytes:
    return features.values.tobytes() + features.age_ms.tobytes()


class FeatureStoreContract:
    """Subclasses give the fixture `store`: an empty store."""

    async def test_first_sight_of_an_entity_is_an_empty_state(self, store: FeatureStore) -> None:
        events = Events.of(payments(1, seed=1))
        observation = await store.observe_and_fetch(events)
        for entity in ENTITIES:
            named = events.ids[entity.name][0] is not None
            assert observation.states[entity.name][0] == (empty(entity) if named else None)

    async def test_states_are_those_of_the_reference(self, store: FeatureStore) -> None:
        batch = payments(600, seed=2, duplicate=0.0)
        events = Events.of(batch)
        expected: dict[tuple[str, str], bytearray] = {}
        observation = await store.observe_and_fetch(events)
        for i in range(len(batch)):
            for entity in ENTITIES:
                identity = events.ids[entity.name][i]
                if identity is None:
                    continue
                state = expected.setdefault((entity.name, identity), bytearray(entity.size))
                assert observation.states[entity.name][i] == bytes(state), (i, entity.name)
                observe(
                    entity,
                    state,
                    events.at_ms[i],
                    events.hundredths[i],
                    events.partners(entity, i),
                )

    @pytest.mark.parametrize("rows", [1, 7, 64])
    async def test_cutting_into_batches_changes_nothing(
        self, store: FeatureStore, rows: int
    ) -> None:
        one, other = (payments(130, seed=3, tenant=t, late=0.3) for t in ("one", "other"))
        whole = await serve(store, one)
        parts = [await serve(store, other.slice(i, i + rows)) for i in range(0, 130, rows)]
        assert np.concatenate([p.values for p in parts]).tobytes() == whole.values.tobytes()
        assert np.concatenate([p.age_ms for p in parts]).tobytes() == whole.age_ms.tobytes()

    async def test_a_retry_gets_the_same_features_and_counts_once(
        self, store: FeatureStore
    ) -> None:
        batch = payments(40, seed=4, duplicate=0.0)
        first = await serve(store, batch)
        again = await serve(store, batch)
        assert bits(again) == bits(first)
        row = batch.slice(39, 40)
        later = replace(row, transaction_id=["later"])
        count = (await serve(store, later)).values
        await serve(store, batch)
        after = replace(row, transaction_id=["after"])
        grown = (await serve(store, after)).values
        from features.definitions import NAMES

        j = NAMES.index("customer_count_60d")
        assert grown[0, j] == count[0, j] + 1

    async def test_a_repeat_inside_one_batch_gets_what_the_first_got(
        self, store: FeatureStore
    ) -> None:
        row = payments(1, seed=5)
        features = await serve(store, TransactionBatch.concat([row, row, row]))
        assert len({values.tobytes() for values in features.values}) == 1

    async def test_tenants_do_not_meet(self, store: FeatureStore) -> None:
        mine, yours = (payments(50, seed=6, tenant=t) for t in ("a", "b"))
        assert bits(await serve(store, mine)) == bits(await serve(store, yours))

    async def test_what_is_not_remembered_is_not_recorded(self, store: FeatureStore) -> None:
        events = Events.of(payments(1, seed=7))
        await store.observe_and_fetch(events)
        assert await store.recorded(events.transaction) == [None]
        again = await store.observe_and_fetch(events)
        assert again.repeated == {0}
        await store.remember({events.transaction[0]: b"row", ("default", "unknown"): b"row"})
        assert await store.recorded([*events.transaction, ("default", "unknown")]) == [b"row", None]
