"""The active plans over one connection that is made again, and that hears of changes."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan
from fraud.errors import StoreUnavailable
from fraud.variant import HOUSE
from tests.contracts.decisions import PLAN


@pytest.fixture
async def reader(database_url):
    reader = PlanReader(database_url, 5.0)
    yield reader
    await reader.close()


async def test_only_what_has_changed_is_read(database_url, reader):
    await activate_plan(database_url, PLAN)
    await activate_plan(database_url, PLAN, "acme")
    rows = await reader.changes({})
    assert {row.owner for row in rows} == {HOUSE, "acme"}
    known = {row.owner: row.revision for row in rows}
    assert await reader.changes(known) == []
    newer = await activate_plan(database_url, PLAN, "acme")
    (row,) = await reader.changes(known)
    assert row.owner == "acme"
    assert json.loads(row.document)["version"] == newer.version
    known["acme"] = row.revision
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE plans SET document = '{\"a\": 1}' WHERE owner = '' AND active")
    (row,) = await reader.changes(known)
    assert (row.owner, json.loads(row.document)) == (HOUSE, {"a": 1}), "whoever wrote it"
    known[HOUSE] = row.revision
    await connection.execute("UPDATE plans SET active = false WHERE owner = 'acme' AND active")
    await connection.close()
    assert await reader.changes(known) == [("acme", None, None)]


async def test_a_database_that_is_not_there_is_unavailable():
    with pytest.raises(StoreUnavailable):
        await PlanReader("postgresql://nobody@127.0.0.1:1/none", 2.0).changes({})


async def test_a_connection_that_ends_in_mid_call_is_made_again(reader, monkeypatch):
    """asyncpg raises an error outside its own tree."""

    async def cut_off(*_):
        raise asyncpg.InternalClientError("cannot switch to state 12")

    with monkeypatch.context() as broken:
        broken.setattr(reader, "_read", cut_off)
        with pytest.raises(StoreUnavailable):
            await reader.changes({})
    assert "InternalClientError" in reader.trouble
    await reader.changes({})
    assert reader.trouble == ""


async def test_a_write_is_announced_also_on_a_new_connection(database_url, reader):
    heard = asyncio.Event()
    reader.announced = heard.set
    for _ in range(2):
        await reader.changes({})
        heard.clear()
        await activate_plan(database_url, PLAN)
        await asyncio.wait_for(heard.wait(), 5)
        await reader.close()
