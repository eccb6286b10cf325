"""A replica's entry stays fresh, and goes with the replica."""

from __future__ import annotations

import asyncio

import pytest

from deployments.links.registry.announcer import Announcer
from tests.contracts.fake_registry import FakeRegistry
from tests.contracts.registry import A

pytestmark = pytest.mark.virtual_time


async def test_an_entry_stays_until_its_replica_closes():
    registry = FakeRegistry(asyncio.get_running_loop().time)
    announcer = Announcer(registry, A)
    announcer.start()
    for _ in range(20):
        await asyncio.sleep(1)
        assert await registry.entries() == [A]
    await announcer.close()
    assert await registry.entries() == []
    await asyncio.sleep(5)
    assert await registry.entries() == []


async def test_a_registry_that_is_away_is_asked_again_and_costs_two_lines(caplog):
    registry = FakeRegistry(asyncio.get_running_loop().time)
    registry.away = True
    announcer = Announcer(registry, A)
    announcer.start()
    await asyncio.sleep(30)
    registry.away = False
    await asyncio.sleep(1.5)
    assert await registry.entries() == [A]
    registry.away = True
    await announcer.close()
    assert [record.message for record in caplog.records] == [
        "the registry of links fails: Redis: away",
        "the registry of links works again",
    ]
