"""The feature store alone: micro-batches against a private Redis, with growing state.

Each population of customers has its own Redis database. They are measured in turn, so that other
work of the machine affects all of them alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import redis
from pydantic import SecretStr

from features.service import FeatureService
from features.state.journal import events_in
from features.store.call import MOST_EVENTS
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from loadtests.bench.rounds import say
from loadtests.bench.scale.point import CUSTOMERS, HISTORY, STATE_BYTES, Point
from settings.settings import Settings
from stores.statements import statement

ROWS = 64
BATCHES_A_TURN = 10
_SEED = "seed-customer"
_MERCHANTS, _CROWD = 100, 10 * ROWS
_DAY_MS = 86_400_000
_DAYS = 59
"""One less than the sixty days that state looks back."""
_CHUNK = 10_000
_OVERHEAD = 1.3
_MAX_LOOKS = 1000
_COPY = statement("loadtests/bench/scale/copy_states.lua")


class Population:
    """Customers with the same history, in a Redis database of their own. `create` makes one.

    Args:
        settings: name an empty Redis database.
        customers: number of customers.
        history: payments of each customer, over 60 days.
        repeats: whether a customer may pay more than once during the measurement.
    """

    def __init__(
        self,
        settings: Settings,
        service: FeatureService,
        customers: int,
        history: int,
        repeats: bool,
    ) -> None:
        assert settings.redis_url is not None
        self.customers = customers
        self.history = history
        self._client = redis.Redis.from_url(settings.redis_url.get_secret_value())
        self._service = service
        self._repeats = repeats
        self._rng = np.random.default_rng(7)
        self._now_ms = time.time_ns() // 1_000_000 - _DAYS * _DAY_MS
        self._made = self._paid = 0

    @classmethod
    async def create(
        cls, settings: Settings, customers: int, history: int, repeats: bool
    ) -> Population:
        """Make a population.

        Raises:
            MemoryError: it would take half of the free memory.
        """
        service = await FeatureService.connect(settings)
        made = cls(settings, service, customers, history, repeats)
        # All populations know the merchants of the measurement, which are not part of the history.
        for start in range(0, _CROWD, ROWS):
            await made._fetch([f"first-{i}" for i in range(start, start + ROWS)], 1)
        step_ms = _DAYS * _DAY_MS // (history + 1)
        for start in range(0, history, ROWS):
            await made._fetch([_SEED] * min(ROWS, history - start), step_ms, "old")
            await made._await_base()
        made._copy()
        return made

    @property
    def state_bytes(self) -> int:
        """Size of the state of one customer."""
        return int(self._client.strlen(self._seed_key()))

    async def turn(self) -> tuple[float, float, float]:
        """Observe some micro-batches. Returns processor time a row in Redis and here, in
        microseconds, and the duration of a micro-batch, in milliseconds."""
        batches = [self._batch(self._next_customers(), 1) for _ in range(BATCHES_A_TURN)]
        redis_s, ours_s, began = self._redis_cpu_s(), time.thread_time(), time.perf_counter()
        for batch in batches:
            await self._observe(batch)
        took_ms = (time.perf_counter() - began) * 1000 / BATCHES_A_TURN
        ours_s = time.thread_time() - ours_s
        us_per_row = 1e6 / (ROWS * BATCHES_A_TURN)
        return (self._redis_cpu_s() - redis_s) * us_per_row, ours_s * us_per_row, took_ms

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()
        self._client.close()

    def _next_customers(self) -> list[str]:
        if self._repeats:
            return [f"c{i}" for i in self._rng.integers(self.customers, size=ROWS)]
        first = self._paid
        self._paid += ROWS
        if self._paid > self.customers:
            raise ValueError("every customer has paid")
        return [f"c{i}" for i in range(first, self._paid)]

    async def _fetch(self, customers: Sequence[str], step_ms: int, merchants: str = "m") -> None:
        await self._observe(self._batch(customers, step_ms, merchants))

    async def _observe(self, batch: TransactionBatch) -> None:
        features = await self._service.fetch(batch)
        if any(features.degraded):
            missing = sorted({why for row in features.degraded for why in row})
            raise RuntimeError(f"the stores refuse payments: {', '.join(missing)}")

    def _batch(
        self, customers: Sequence[str], step_ms: int, merchants: str = "m"
    ) -> TransactionBatch:
        """Return a payment of each customer, `step_ms` apart, to random merchants of a prefix."""
        numbers = self._rng.integers(_MERCHANTS, size=len(customers))
        amounts = self._rng.integers(100, 50_000, size=len(customers))
        chosen = zip(customers, (f"{merchants}{i}" for i in numbers), amounts, strict=True)
        return TransactionBatch.of("scale", [self._one(*of, step_ms) for of in chosen])

    def _one(self, customer: str, merchant: str, amount: int, step_ms: int) -> Transaction:
        self._made += 1
        self._now_ms += step_ms
        return Transaction(
            transaction_id=f"t-{self._made}",
            customer_id=customer,
            timestamp_ms=self._now_ms,
            amount_minor=int(amount),
            currency="EUR",
            type="purchase",
            merchant_id=merchant,
        )

    async def _await_base(self) -> None:
        """Wait until the seed's journal has a new base, which it gets after the answer. Until then
        it holds the events of a whole micro-batch, which a customer's never does for long."""
        key = self._seed_key()
        for _ in range(_MAX_LOOKS):
            journal: Any = self._client.get(key)
            if events_in(journal) < MOST_EVENTS:
                return
            await asyncio.sleep(0.01)
        raise RuntimeError("the journal of the seed got no new base")

    def _copy(self) -> None:
        """Copy the state of the seed to every customer."""
        key = self._seed_key()
        wanted = float(self._client.memory_usage(key) or 0) * self.customers * _OVERHEAD
        if wanted > psutil.virtual_memory().available / 2:
            raise MemoryError(f"{self.customers:,} customers need {wanted / 2**30:.1f} GiB")
        copy = self._client.register_script(_COPY)
        for start in range(0, self.customers, _CHUNK):
            last = min(start + _CHUNK, self.customers) - 1
            copy(keys=[key], args=[_SEED, start, last])

    def _seed_key(self) -> bytes:
        (key,) = self._client.scan_iter(f"q:s:*:{_SEED}", count=10_000)
        return bytes(key)

    def _redis_cpu_s(self) -> float:
        info: dict[str, Any] = self._client.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


async def many_customers(settings: Settings, sizes: Sequence[int], turns: int) -> list[Point]:
    """Measure the cost of a row for growing numbers of customers with sixty payments each.

    Args:
        settings: name a PostgreSQL without these customers, and an empty Redis.
        sizes: numbers of customers, rising; those that do not fit into memory are left out.
        turns: number of measurements of each.
    """
    populations: list[Population] = []
    for size in sizes:
        own = _database(settings, len(populations))
        try:
            populations.append(await Population.create(own, size, 60, repeats=True))
        except MemoryError as error:
            say(f"left out: {error}")
            break
    found = await _in_turn(populations, turns)
    return [
        Point(CUSTOMERS, p.customers, values) for p, values in zip(populations, found, strict=True)
    ]


async def long_history(settings: Settings, sizes: Sequence[int], turns: int) -> list[Point]:
    """Measure the cost of a row for customers with more and more payments.

    Args:
        settings: name a PostgreSQL without these customers, and an empty Redis.
        sizes: payments of each customer.
        turns: number of measurements of each.
    """
    # Each customer pays once, so that all have the stated number of payments.
    customers = (turns + 1) * BATCHES_A_TURN * ROWS
    populations = [
        await Population.create(_database(settings, number), customers, size, repeats=False)
        for number, size in enumerate(sizes)
    ]
    bytes_each = [population.state_bytes for population in populations]
    found = await _in_turn(populations, turns)
    return [
        Point(HISTORY, size, values | {STATE_BYTES: float(kept)})
        for size, values, kept in zip(sizes, found, bytes_each, strict=True)
    ]


async def _in_turn(populations: Sequence[Population], turns: int) -> list[dict[str, float]]:
    """Return medians over the turns of each population, without its first turn."""
    taken: list[list[tuple[float, float, float]]] = [[] for _ in populations]
    try:
        for _ in range(turns + 1):
            for population, those in zip(populations, taken, strict=True):
                those.append(await population.turn())
    finally:
        for population in populations:
            await population.close()
    names = ("Redis µs a row", "client µs a row", f"ms a batch of {ROWS}")
    return [
        dict(zip(names, map(median, zip(*those[1:], strict=True)), strict=True)) for those in taken
    ]


def _database(settings: Settings, number: int) -> Settings:
    """Return settings with another Redis database."""
    assert settings.redis_url is not None
    url = urlsplit(settings.redis_url.get_secret_value())._replace(path=f"/{number}").geturl()
    return settings.model_copy(update={"redis_url": SecretStr(url)})
