"""What every feature store does, in memory or on Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from features.assemble import assemble, rows_to_remember
from features.definitions import NAMES
from features.degraded import TRANSACTION_REUSED
from features.state.entities import ENTITIES, ROLES, Entity
from features.state.events import Events
from features.state.labels import LabelEvents
from features.state.state import empty, learn, observe
from features.store.interface import FeatureStore
from fraud.payment.batch import FeatureBatch, TransactionBatch
from tests.contracts.payments import DAY_MS, labels_of, payments
from tests.contracts.window_aggregates import aggregates_of

StoreMaker = Callable[[], Awaitable[FeatureStore]]


async def serve(store: FeatureStore, batch: TransactionBatch) -> FeatureBatch:
    """Observe, assemble and remember, as the service does."""
    events = Events.of(batch)
    observation = await store.observe_and_fetch(events)
    features = assemble(batch, events, observation)
    kept = rows_to_remember(events, observation, features)
    await store.remember(observation.receipt, *kept)
    return features


def bits(features: FeatureBatch) -> bytes:
    return features.values.tobytes() + features.age_ms.tobytes()


class Reference:
    """What every store must hold: one state after the other, by the scalar code."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str, str], bytearray] = {}

    def _state(self, entity: Entity, tenant: str, identity: str) -> bytearray:
        return self.states.setdefault((entity.name, tenant, identity), bytearray(entity.size))

    def observe(self, events: Events) -> list[dict[str, bytes | None]]:
        """Role -> state before the row, for each row."""
        seen = []
        for i in range(len(events)):
            row = events.row(i)
            before: dict[str, bytes | None] = {}
            for role in ROLES:
                identity = events.ids[role.name][i]
                if identity is None:
                    before[role.name] = None
                    continue
                state = self._state(role.entity, events.tenant[i], identity)
                before[role.name] = bytes(state)
                observe(role, state, row, events.partners(role, i))
            seen.append(before)
        return seen

    def look(self, events: Events) -> dict[str, bytes | None]:
        """Role -> state before the one row, which is not observed."""
        return {
            role.name: None
            if (identity := events.ids[role.name][0]) is None
            else bytes(self._state(role.entity, events.tenant[0], identity))
            for role in ROLES
        }

    def learn(self, labels: LabelEvents) -> None:
        """Learn labels, one after the other."""
        for i, tenant in enumerate(labels.tenant):
            for entity in ENTITIES:
                identity = labels.ids[entity.name][i]
                if identity is not None:
                    learn(
                        entity,
                        self._state(entity, tenant, identity),
                        labels.known_at_ms[i],
                        labels.fraud[i],
                        labels.hundredths[i],
                        labels.previous[i],
                    )


def at_the_end(batch: TransactionBatch) -> TransactionBatch:
    """The same payments again, under other names, six days after the last one."""
    at_ms = max(batch.timestamp_ms) + 6 * DAY_MS
    names = [f"again-{name}" for name in batch.transaction_id]
    return replace(batch, transaction_id=names, timestamp_ms=[at_ms] * len(batch))


def shuffled(labels: LabelEvents, seed: int) -> LabelEvents:
    """The same events in another order; those of one payment stay in theirs."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    # A payment's first label and its correction change places with others, not with each other.
    firsts = [i for i in order if labels.previous[i] is None]
    corrections = [i for i in order if labels.previous[i] is not None]
    return labels.take([int(i) for i in firsts + corrections])


class FeatureStoreContract:
    """Subclasses give the fixture `store`: an empty store."""

    async def test_first_sight_of_an_entity_is_an_empty_state(self, store: FeatureStore) -> None:
        events = Events.of(payments(1, seed=1))
        observation = await store.observe_and_fetch(events)
        for role in ROLES:
            named = events.ids[role.name][0] is not None
            assert observation.states[role.name][0] == (empty(role.entity) if named else None)

    @pytest.mark.parametrize("customers", [7, 200])
    async def test_states_are_those_of_the_reference(
        self, store: FeatureStore, customers: int
    ) -> None:
        batch = payments(600, seed=2, duplicate=0.0, customers=customers)
        reference = Reference()
        for start in range(0, len(batch), 150):
            part = batch.slice(start, start + 150)
            events = Events.of(part)
            observation = await store.observe_and_fetch(events)
            for i, expected in enumerate(reference.observe(events)):
                for name, state in expected.items():
                    assert observation.states[name][i] == state, (start + i, name)
            learnt = labels_of(part, seed=start)
            await store.learn(learnt)
            reference.learn(learnt)

    async def test_labels_in_any_order_of_payments_give_the_same_state(
        self, store: FeatureStore
    ) -> None:
        one, other = (payments(60, seed=8, tenant=t, duplicate=0.0) for t in ("one", "other"))
        seen = []
        for batch, mixed in ((one, False), (other, True)):
            await store.observe_and_fetch(Events.of(batch))
            labels = labels_of(batch, seed=3, days=5.0, corrected=0.5)
            await store.learn(shuffled(labels, seed=1) if mixed else labels)
            later = at_the_end(batch)
            observation = await store.observe_and_fetch(Events.of(later))
            seen.append(aggregates_of(observation.reading(Events.of(later))))
        for name, aggregates in seen[0].items():
            for number in ("known", "frauds", "fraud_total", "fraud_known_age_ms"):
                mine, yours = getattr(aggregates, number), getattr(seen[1][name], number)
                assert np.array_equal(mine, yours), (name, number)
        assert seen[0]["customer"].known.sum() > 0

    async def test_a_label_of_another_tenant_changes_nothing(self, store: FeatureStore) -> None:
        mine, yours = (payments(20, seed=9, tenant=t, duplicate=0.0) for t in ("a", "b"))
        await store.observe_and_fetch(Events.of(mine))
        await store.observe_and_fetch(Events.of(yours))
        await store.learn(labels_of(yours, seed=1))
        later = Events.of(at_the_end(mine))
        aggregates = aggregates_of((await store.observe_and_fetch(later)).reading(later))
        assert all(not seen.known.any() for seen in aggregates.values())

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
        j = NAMES.index("customer_count_60d")
        assert grown[0, j] == count[0, j] + 1

    async def test_another_payment_under_a_known_id_is_decided_as_it_is(
        self, store: FeatureStore
    ) -> None:
        count = NAMES.index("customer_count_60d")
        batch = payments(2, seed=11, duplicate=0.0)
        batch = replace(batch, customer_id=[batch.customer_id[0]] * 2, currency=["USD"] * 2)
        first, later = batch.slice(0, 1), batch.slice(1, 2)
        await serve(store, first)
        other = replace(first, amount_minor=[first.amount_minor[0] + 100])
        found = await serve(store, other)
        assert found.degraded == [(TRANSACTION_REUSED,)]
        assert found.values[0, 0] == pytest.approx(other.amount_minor[0] / 100)
        again = await serve(store, first)
        assert again.degraded == [()]
        assert again.values[0, 0] == pytest.approx(first.amount_minor[0] / 100)
        assert (await serve(store, later)).values[0, count] == 1

    async def test_rows_that_were_observed_are_not_missed(self, store: FeatureStore) -> None:
        batch, twin = (payments(60, seed=8, duplicate=0.0, tenant=t) for t in ("a", "b"))
        for part in (batch, twin):
            await serve(store, part.slice(0, 40))
        store.missed(Events.of(batch.slice(20, 40)))
        last = [await serve(store, part.slice(40, 60)) for part in (batch, twin)]
        assert bits(last[0]) == bits(last[1])

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
        events = Events.of(payments(2, seed=7, duplicate=0.0))
        first = await store.observe_and_fetch(events)
        assert await store.recorded(events.transaction) == [None, None]
        again = await store.observe_and_fetch(events)
        assert again.repeated == {0, 1}
        await store.remember(first.receipt, events.transaction, b"oneTWO")
        asked = [*reversed(events.transaction), ("default", "unknown")]
        assert await store.recorded(asked) == [b"TWO", b"one", None]
        assert (await store.observe_and_fetch(events)).recorded == {0: b"one", 1: b"TWO"}
