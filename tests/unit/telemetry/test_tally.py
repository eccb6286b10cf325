"""Deferred counts reach the metrics as if they had been added at once."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from telemetry import tally as tallies
from telemetry.tally import Tally
from tests.contracts.waiting import until

AMOUNTS = (0.0, 2**-10, 2**-9, 0.5, 1.0, 7.0)  # sums of these are exact


class Metrics:
    def __init__(self):
        self.registry = CollectorRegistry()
        self.counter = Counter("c", "c", ["k"], registry=self.registry)
        self.gauge = Gauge("g", "g", registry=self.registry)
        self.histogram = Histogram("h", "h", buckets=(2**-10, 0.5, 1.0), registry=self.registry)

    def shown(self):
        lines = generate_latest(self.registry).decode().splitlines()
        return [line for line in lines if "_created" not in line]


def test_a_tally_ends_in_the_same_metrics_as_direct_calls():
    waited, direct = Metrics(), Metrics()
    tally = Tally()
    for round_ in range(2):
        for amount in AMOUNTS:
            tally.observe(waited.histogram, amount)
            tally.count(waited.counter, 2, "a")
            tally.set(waited.gauge, amount + round_)
            direct.histogram.observe(amount)
            direct.counter.labels("a").inc(2)
            direct.gauge.set(amount + round_)
        tally.flush()
        assert waited.shown() == direct.shown()


def test_without_a_loop_nothing_waits():
    metrics, tally = Metrics(), Tally()
    tally.set(metrics.gauge, 3)
    tally.arm()
    assert "g 3.0" in metrics.shown()


def test_every_loop_is_armed_anew(monkeypatch):
    monkeypatch.setattr(tallies, "FLUSH_S", 0.01)
    metrics, tally = Metrics(), Tally()

    async def told(value: float, *, wait: bool) -> None:
        tally.set(metrics.gauge, value)
        tally.arm()
        tally.arm()
        assert f"g {value}" not in metrics.shown()
        if wait:
            await until(lambda: f"g {value}" in metrics.shown())

    asyncio.run(told(1.0, wait=False))  # its loop ends before the time has come
    asyncio.run(told(2.0, wait=True))
    asyncio.run(told(3.0, wait=True))


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_observation_lands_in_its_own_bucket(amount):
    waited, direct = Metrics(), Metrics()
    tally = Tally()
    tally.observe(waited.histogram, amount)
    tally.flush()
    direct.histogram.observe(amount)
    assert waited.shown() == direct.shown()


def test_calls_put_off_are_counted_before_the_next_flush():
    metrics, tally = Metrics(), Tally()

    async def tell() -> None:
        for _ in range(100):
            tally.later(tally.count, metrics.counter, 1, "later")
        tally.flush()

    asyncio.run(tell())
    assert metrics.registry.get_sample_value("c_total", {"k": "later"}) == 100
