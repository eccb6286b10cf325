"""One process leads at a time, and another one follows."""

from __future__ import annotations

import asyncio

import pytest

from fraud.errors import StoreUnavailable
from stores.postgres.leader import Leadership


async def test_one_leads_until_it_lets_go(database_url: str):
    first, second = (Leadership(database_url, "quorum.test", 10) for _ in range(2))
    other = Leadership(database_url, "quorum.another", 10)
    assert await first.held()
    assert not await second.held()
    assert await other.held()
    assert await first.held()
    first.drop()
    # The server lets go of the lock once it has seen the connection end.
    async with asyncio.timeout(60):
        while not await second.held():  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.05)
    assert not await first.held()
    for one in (first, second, other):
        one.drop()


async def test_without_postgresql_nobody_leads():
    with pytest.raises(StoreUnavailable):
        await Leadership("postgresql://nobody@127.0.0.1:9/none", "quorum.test", 1).held()
