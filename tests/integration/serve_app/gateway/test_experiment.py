"""What the gateway reads for the report of an experiment, over its own pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from experiments.reading.reader import Wanted
from experiments.report import report
from experiments.sides import Side
from fraud.errors import NotFound, StoreUnavailable
from serve_app.gateway.records import Records
from stores.postgres.connect import open_pool
from tests.contracts.experiment import END, START, record, world

WANTED = Wanted("acme", "default", START, END)


@pytest.fixture
async def records(database_url: str) -> AsyncIterator[Records]:
    connection = await asyncpg.connect(database_url)
    if not await connection.fetchval("SELECT count(*) FROM decisions"):
        await record(connection, world(1_000))
    await connection.close()
    pool = await open_pool(database_url, size=2, timeout_s=30)
    yield Records(pool, None, lambda: int(END.timestamp() * 1000))
    await pool.close()


async def test_a_tenant_reads_its_own_experiment(records: Records) -> None:
    made = report(await records.experiment(WANTED), WANTED)
    assert made.comparison(Side("shadow", "candidate")) is not None
    foreign = replace(WANTED, tenant="other")
    with pytest.raises(NotFound):
        report(await records.experiment(foreign), foreign)


async def test_the_connection_is_free_again(records: Records) -> None:
    for _ in range(5):
        assert len((await records.experiment(WANTED)).rows) == 1_000


async def test_without_a_database_it_says_so() -> None:
    pool = await open_pool("postgresql://nobody@127.0.0.1:9/none", size=1, timeout_s=1)
    with pytest.raises(StoreUnavailable):
        await Records(pool, None, lambda: 0).experiment(WANTED)
    await pool.close()
