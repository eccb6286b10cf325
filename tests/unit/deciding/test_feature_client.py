"""Features in time or without history, and reports of the payments that were missed."""

from __future__ import annotations

import asyncio
import time

import pytest

from deciding import feature_client as module
from deciding.feature_client import FeatureClient
from features.assemble import without_history
from features.degraded import FEATURES_UNAVAILABLE
from fraud.payment.batch import FeatureBatch, TransactionBatch
from tests.contracts.decisions import transactions
from tests.contracts.waiting import until

pytestmark = pytest.mark.virtual_time


class Keeper:
    """A feature store that can be made to stop answering."""

    def __init__(self) -> None:
        self.answers = True
        self.accepts_reports = True
        self.calls = 0
        self.reported: list[str] = []
        self.fetch = FeatureClient(self.ask, self.missed, timeout_ms=50)

    async def ask(self, batch: TransactionBatch, patient: bool) -> FeatureBatch:
        self.calls += 1
        if not self.answers:
            raise RuntimeError("secret 4111")
        features = without_history(batch)
        return type(features)(features.values, features.schema_id, features.age_ms)

    async def missed(self, batch: TransactionBatch, ago_s: float) -> None:
        assert 0 <= ago_s < 60
        if not self.accepts_reports:
            raise RuntimeError("secret 4111")
        self.reported += batch.transaction_id

    async def outage(self, batch: TransactionBatch) -> None:
        """Decide each row on its own while the store is away, then bring it back."""
        self.answers = False
        for i in range(len(batch)):
            features = await self.fetch(batch.slice(i, i + 1), True)
            assert features.degraded == [(FEATURES_UNAVAILABLE,)]
        self.answers = True


@pytest.fixture
async def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    monkeypatch.setattr(time, "monotonic", asyncio.get_running_loop().time)
    keeper = Keeper()
    keeper.fetch._breaker._reset_timeout_s = 0.05
    return keeper


async def answered(keeper: Keeper, batch: TransactionBatch) -> None:
    await asyncio.sleep(0.06)
    assert not any((await keeper.fetch(batch, True)).degraded)


async def test_payments_decided_without_features_are_reported_once_the_store_answers(
    keeper: Keeper,
) -> None:
    batch = transactions(8)
    await keeper.outage(batch)
    assert keeper.calls == 3  # then the circuit breaker is open
    await answered(keeper, transactions(1))
    await until(lambda: keeper.reported == batch.transaction_id)
    await answered(keeper, transactions(1))
    await asyncio.sleep(0)
    assert keeper.reported == batch.transaction_id


async def test_a_report_that_fails_is_sent_again(
    keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    batch = transactions(5)
    await keeper.outage(batch)
    keeper.accepts_reports = False
    await answered(keeper, transactions(1))
    await until(lambda: keeper.fetch._reporting is None)
    assert keeper.reported == []
    keeper.accepts_reports = True
    await answered(keeper, transactions(1))
    await until(lambda: sorted(keeper.reported) == batch.transaction_id)
    assert "4111" not in caplog.text


async def test_after_a_long_outage_not_everything_is_reported(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_UNREPORTED", 4)
    batch = transactions(8)
    await keeper.outage(batch)
    await answered(keeper, transactions(1))
    await until(lambda: keeper.reported == batch.transaction_id[:4])
    await keeper.outage(batch)
    await answered(keeper, transactions(1))
    await until(lambda: keeper.reported == 2 * batch.transaction_id[:4])
