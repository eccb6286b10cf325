"""The active plan over one connection that is made again."""

from __future__ import annotations

import asyncpg
import pytest

from deciding.plans.reader import PlanReader
from deciding.plans.table import activate_plan
from fraud.errors import StoreUnavailable
from tests.contracts.decisions import PLAN


async def test_a_document_that_is_no_plan_changes_nothing(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE plans SET active = false WHERE active")
    await connection.execute(
        "INSERT INTO plans (name, version, document, active) VALUES ('odd', 1, '{\"a\": 1}', true)"
    )
    await connection.close()
    reader = PlanReader(database_url, 5.0)
    with pytest.raises(ValueError, match="not a plan"):
        await reader.active()
    await reader.close()


async def test_a_database_that_is_not_there_is_unavailable():
    with pytest.raises(StoreUnavailable):
        await PlanReader("postgresql://nobody@127.0.0.1:1/none", 2.0).active()


async def test_a_connection_that_ends_in_mid_call_is_made_again(database_url, monkeypatch):
    """asyncpg raises an error outside its own tree."""
    plan = await activate_plan(database_url, PLAN)
    reader = PlanReader(database_url, 5.0)

    async def cut_off(*_):
        raise asyncpg.InternalClientError("cannot switch to state 12")

    with monkeypatch.context() as broken:
        broken.setattr(reader, "_read", cut_off)
        with pytest.raises(StoreUnavailable):
            await reader.active()
    assert await reader.active() == plan
    await reader.close()
