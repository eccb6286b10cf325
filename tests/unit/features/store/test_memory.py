from __future__ import annotations

import pytest

from features.state.events import Events
from features.state.labels import LabelEvents
from features.state.windows import DAY_MS
from features.store.memory import MemoryStore
from tests.contracts.feature_store import FeatureStoreContract
from tests.contracts.payments import payments
from tests.contracts.window_aggregates import aggregates_of


class TestMemoryStore(FeatureStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_the_oldest_transaction_ids_are_forgotten_first() -> None:
    store = MemoryStore(remembered=2)
    batch = payments(3, seed=1, duplicate=0.0)
    store.observe(Events.of(batch))
    again = store.observe(Events.of(batch.slice(2, 3)))
    assert again.repeated == {0}
    assert store.observe(Events.of(batch.slice(0, 1))).repeated == frozenset()


def test_what_is_forgotten_makes_room_and_touches_nothing_else() -> None:
    batch = payments(400, seed=1, customers=40, duplicate=0.0)
    store = MemoryStore()
    store.observe(Events.of(batch))
    keys = [("default", f"c{i}") for i in range(40)]
    before = {key: store.state("customer", key) for key in keys}
    assert all(any(state) for state in before.values())
    gone = keys[:15], keys[15:30]
    for some in gone:
        store.forget("customer", [*some, ("default", "nobody")])
    assert {key: store.state("customer", key) for key in keys[30:]} == {
        key: before[key] for key in keys[30:]
    }
    assert not any(any(store.state("customer", key)) for key in keys[:30])
    merchant = ("default", "m0")
    untouched = store.state("merchant", merchant)
    assert any(untouched)
    later = payments(50, seed=2, customers=40, duplicate=0.0, prefix="later")
    fresh = MemoryStore()
    fresh.observe(Events.of(later))
    store.observe(Events.of(later))
    for key in keys[:30]:
        assert store.state("customer", key) == fresh.state("customer", key)


def test_a_label_in_memory_of_nobody_known_waits_for_its_first_payment() -> None:
    batch = payments(1, seed=1)
    labels = LabelEvents(
        tenant=["default"],
        known_at_ms=[batch.timestamp_ms[0] - DAY_MS],
        fraud=[True],
        hundredths=[500],
        ids={key: [None] for key in ("merchant", "device", "counterparty")}
        | {"customer": [batch.customer_id[0]]},
        previous=[None],
    )
    store = MemoryStore()
    store.learn_now(labels)
    events = Events.of(batch)
    assert aggregates_of(store.observe(events).reading(events))["customer"].frauds[0].tolist() == [
        0,
        1,
        1,
    ]
