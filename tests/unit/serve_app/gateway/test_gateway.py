"""The gateway: domain values in, domain values out, whatever the adapter."""

from __future__ import annotations

import asyncio

import pytest

from fraud.decision import Decisions
from fraud.errors import RateLimited
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.submission import Decided
from tests.contracts.front import FakeCombiner, FakeRedisLimiter

FREE = Principal("k-free", "acme", "free")


def batch(*names: str) -> TransactionBatch:
    rows = [Transaction(name, name, 0, 100, "EUR", "purchase") for name in names]
    return TransactionBatch.of("acme", rows)


class Patience(FakeCombiner):
    """Notes for each call whether all rows wait for their history."""

    def __init__(self) -> None:
        super().__init__()
        self.patient: list[bool] = []

    async def decide(self, rows: TransactionBatch, patient: bool = False) -> Decisions:
        self.patient.append(patient)
        return await super().decide(rows, patient)


@pytest.fixture
def combiner() -> Patience:
    return Patience()


@pytest.fixture
def gateway(combiner: Patience) -> Gateway:
    return Gateway(combiner.decide, RateLimits(FakeRedisLimiter(), "test"), GatewaySettings())


async def test_a_batch_is_decided_in_its_order(gateway: Gateway, combiner: Patience) -> None:
    answers = await gateway.submit(batch("a", "b", "c"), FREE)
    assert [(row.batch.transaction_id[row.row]) for row in answers.rows] == ["a", "b", "c"]
    assert combiner.patient == [True]


async def test_a_single_payment_does_not_wait_for_the_history_of_others(
    gateway: Gateway, combiner: Patience
) -> None:
    answers = await gateway.submit(batch("a"), FREE, together=False)
    assert isinstance(answers.rows[0], Decided)
    assert combiner.patient == [False]


async def test_rows_over_a_limit_are_errors_in_their_place_and_the_standing_is_a_value(
    gateway: Gateway,
) -> None:
    answers = await gateway.submit(batch(*(f"t{i}" for i in range(52))), FREE)
    assert [type(row) for row in answers.rows] == [Decided] * 50 + [RateLimited] * 2
    standing = gateway.rate_limits.standing(FREE)
    assert (standing.tier.key.rows, standing.remaining) == (50, 0)
    assert standing.reset_s > 0


async def test_drain_waits_for_all_lanes(gateway: Gateway, combiner: Patience) -> None:
    combiner.gate = lambda: asyncio.sleep(0.01)
    single = asyncio.ensure_future(gateway.submit(batch("a"), FREE, together=False))
    many = asyncio.ensure_future(gateway.submit(batch("b", "c"), FREE))
    await asyncio.sleep(0)
    assert gateway.queued_rows == 3
    await asyncio.sleep(0)
    await gateway.drain()
    assert gateway.queued_rows == 0
    await asyncio.gather(single, many)
