from __future__ import annotations

import pytest

from features.events import Events
from features.store.memory import MemoryStore
from tests.contracts.feature_store import FeatureStoreContract
from tests.contracts.payments import payments


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
