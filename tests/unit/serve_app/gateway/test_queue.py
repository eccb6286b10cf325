"""Queues under more load than can be carried, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fraud.decision import Decisions
from fraud.errors import Overloaded
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.coalescer import Coalescer
from tests.contracts.decisions import whole
from tests.contracts.front import decided
from tests.contracts.virtual_time import run

pytestmark = pytest.mark.slow

CALLER = Principal("abcdefghijkm", "acme", "standard")
TIMEOUT_S = 2.0
WARM_UP_S, MEASURED_S = 5.0, 10.0


async def admit_all(_: Any) -> dict[int, Exception]:
    return {}


def batch(name: str, rows: int) -> TransactionBatch:
    one = Transaction(name, name, 0, 100, "EUR", "purchase")
    return TransactionBatch.of("acme", [one] * rows)


class Machine:
    """Decides `capacity` rows a second, one call after the other, `overhead_s` for each call."""

    def __init__(self, capacity: float, overhead_s: float = 0.002) -> None:
        self.capacity = capacity
        self.overhead_s = overhead_s
        self.free = asyncio.Lock()

    async def decide(self, rows: TransactionBatch, patient: bool = False) -> Decisions:
        async with self.free:
            await asyncio.sleep(self.overhead_s + len(rows) / self.capacity)
        return whole(decided(rows.transaction_id, {}))


class Load:
    """Results of the rows sent to a coalescer, by the second in which they were sent."""

    def __init__(self, decide: Any, lanes: int = 1, patient: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.coalescer = Coalescer(
            decide,
            admit_all,
            patient=patient,
            lanes=lambda: lanes,
            max_rows_per_call=256,
            max_queued_rows=4096,
            timeout_s=TIMEOUT_S,
            clock=self.loop.time,
        )
        self.outcomes: list[tuple[float, str]] = []
        self.refused_after_s: list[float] = []

    async def send(self, rows: int = 1, name: str = "t") -> None:
        began = self.loop.time()
        try:
            answers = (await self.coalescer.submit(batch(name, rows), CALLER)).rows
        except (Overloaded, TimeoutError) as error:
            answers = [error] * rows
        for answer in answers:
            kind = type(answer).__name__
            self.outcomes.append((began, kind))
            if kind == "Overloaded":
                self.refused_after_s.append(self.loop.time() - began)

    async def offer(self, rate: float, until_s: float, rows: int = 1, name: str = "t") -> None:
        """Send `rate` rows a second, `rows` at a time, whatever the results."""
        async with asyncio.TaskGroup() as group:
            while self.loop.time() < until_s:
                group.create_task(self.send(rows, name))
                await asyncio.sleep(rows / rate)

    async def connections(self, number: int, until_s: float) -> None:
        """Send one row after the other on each of `connections`."""

        async def one() -> None:
            while self.loop.time() < until_s:
                await self.send()

        await asyncio.gather(*(one() for _ in range(number)))

    def counts(self, since_s: float = 0.0) -> Counter[str]:
        return Counter(kind for began, kind in self.outcomes if began >= since_s)


def steady(offering: Callable[[], Any]) -> tuple[Load, Counter[str]]:
    """Run `offering` and return its load, with the results after the first `WARM_UP_S`."""
    load = run(offering())
    return load, load.counts(WARM_UP_S)


@pytest.mark.parametrize("capacity", [60, 250])
@pytest.mark.parametrize("factor", [1.3, 5.0])
@pytest.mark.parametrize(
    ("lanes", "rows", "patient"), [(1, 1, False), (2, 1, False), (2, 20, True)]
)
def test_what_is_too_much_is_refused_at_once_and_the_rest_is_decided(
    capacity: int, factor: float, lanes: int, rows: int, patient: bool
) -> None:
    async def offering() -> Load:
        load = Load(Machine(capacity).decide, lanes, patient)
        await load.offer(factor * capacity, WARM_UP_S + MEASURED_S, rows)
        return load

    load, counts = steady(offering)
    assert counts["Decided"] >= 0.8 * capacity * MEASURED_S
    assert counts["TimeoutError"] <= 0.02 * counts.total()
    at_once = sum(after_s == 0 for after_s in load.refused_after_s)
    assert at_once >= 0.8 * len(load.refused_after_s)


@pytest.mark.parametrize("connections", [128, 256])
@pytest.mark.parametrize("capacity", [250, 1_000, 10_000])
@pytest.mark.parametrize("lanes", [1, 2])
def test_connections_that_wait_for_their_answers_are_never_refused(
    connections: int, capacity: int, lanes: int
) -> None:
    async def offering() -> Load:
        load = Load(Machine(capacity).decide, lanes)
        await load.send()
        # Ten thousand rows or so, whatever the capacity.
        await load.connections(connections, min(4.0, 10_000 / capacity))
        return load

    assert set(run(offering()).counts()) == {"Decided"}


async def hold(machine: Machine, at_s: float, seconds: float) -> None:
    """Let `machine` start nothing for some seconds."""
    await asyncio.sleep(at_s)
    async with machine.free:
        await asyncio.sleep(seconds)


@pytest.mark.parametrize("connections", [3, 128, 256])
def test_one_call_that_something_held_up_is_no_reason_to_refuse(connections: int) -> None:
    async def offering() -> Load:
        machine = Machine(5_000)
        load = Load(machine.decide)
        held = asyncio.create_task(hold(machine, 1.0, 1.5))
        await load.connections(connections, 3.5)
        await held
        return load

    assert set(run(offering()).counts()) == {"Decided"}


def test_what_hung_for_long_is_believed_again_soon() -> None:
    async def offering() -> Load:
        machine = Machine(1_000)
        load = Load(machine.decide)
        held = asyncio.create_task(hold(machine, 1.0, 10.0))
        await load.offer(500, 15.0)
        await held
        return load

    load = run(offering())
    assert load.counts(2.0)["Overloaded"] > 0
    assert set(load.counts(13.0)) == {"Decided"}


def test_a_batch_that_comes_alone_is_taken_however_slow_things_are() -> None:
    async def offering() -> Load:
        load = Load(Machine(200).decide, 2, patient=True)
        for _ in range(5):
            await load.send(1000)
            await asyncio.sleep(1.0)
        return load

    # 1000 rows take 5 s: those that can be decided in time are.
    load = run(offering())
    assert load.counts()["Decided"] >= 200 * 5


class Historian:
    """Answers at once; rows named cold only in patient calls, after `wait_s` each."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s

    async def decide(self, rows: TransactionBatch, patient: bool = False) -> Decisions:
        names = rows.transaction_id
        cold = tuple(i for i, name in enumerate(names) if name == "cold")
        if patient:
            await asyncio.sleep(self.wait_s)
            return whole(decided(names, {}))
        await asyncio.sleep(0.001)
        return whole(decided([name for name in names if name != "cold"], {}), cold)


def test_cold_rows_of_many_micro_batches_share_the_cold_lanes() -> None:
    async def offering() -> Load:
        load = Load(Historian(0.12).decide)
        # Far enough apart that each has a micro-batch of its own.
        await load.offer(200, 10.0, name="cold")
        return load

    assert set(run(offering()).counts()) == {"Decided"}


def test_more_cold_rows_than_can_be_fetched_are_refused_and_hold_no_warm_one_back() -> None:
    async def offering() -> tuple[Load, Load]:
        warm = Load(Historian(0.5).decide)
        cold = Load(None)
        cold.coalescer = warm.coalescer
        await asyncio.gather(warm.offer(100, 15.0), cold.offer(1_000, 15.0, name="cold"))
        return warm, cold

    warm, cold = run(offering())
    assert set(warm.counts()) == {"Decided"}
    # Two lanes of 64 rows, twice a second.
    counts = cold.counts(WARM_UP_S)
    assert counts["Decided"] >= 0.8 * 256 * MEASURED_S
    assert counts["TimeoutError"] <= 0.02 * counts.total()


def test_cold_rows_count_among_those_that_wait() -> None:
    async def waiting() -> tuple[int, int]:
        load = Load(Historian(0.2).decide)
        tasks = [asyncio.create_task(load.send(name="cold")) for _ in range(200)]
        await asyncio.sleep(0.1)
        meanwhile = load.coalescer.queued_rows
        await asyncio.gather(*tasks)
        return meanwhile, load.coalescer.queued_rows

    # 128 travel in the cold lanes.
    assert run(waiting()) == (72, 0)
