"""The references that jobs use, in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from bulk.engine.reference_shelf import ReferenceShelf
from fraud.errors import NotFound
from fraud.variant import HOUSE
from references import catalogue
from tests.contracts.jobs import MATCH
from tests.contracts.scored_references import store_shop_reference


@pytest.fixture(autouse=True)
async def _no_references(pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM reference_models")


def owner_of(tenant: str) -> str:
    return HOUSE if tenant == "home" else tenant


async def test_a_tenant_sees_its_own_and_the_houses(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with pool.acquire() as session:
        house = await store_shop_reference(session, tmp_path / "house")
        mine = await store_shop_reference(session, tmp_path / "mine", owner="mine")
    shelf = ReferenceShelf(pool, owner_of)
    assert [r.id for r in await shelf.visible("mine")] == [mine.id, house.id]
    assert [r.id for r in await shelf.visible("other")] == [house.id]
    assert [r.id for r in await shelf.visible("home")] == [house.id]
    assert set(shelf.known) == {house.digest, mine.digest}


async def test_an_older_version_is_found_by_its_name_and_uses_are_counted(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    async with pool.acquire() as session:
        old = await store_shop_reference(session, tmp_path / "old")
        reference = replace(old.reference, rows=3_000)
        new = await catalogue.add(
            session, reference, "e" * 64, size_bytes=1, location=tmp_path.as_uri()
        )
    shelf = ReferenceShelf(pool, owner_of)
    assert [r.id for r in await shelf.visible("mine")] == [new.id]
    named = await shelf.visible("mine", ["shop", old.id, new.id])
    assert [r.id for r in named] == [new.id, old.id]
    with pytest.raises(NotFound):
        await shelf.visible("mine", ["shop@ffffffffffff"])

    match = replace(MATCH, chosen=(old.id,))
    assert [r.digest for r in await shelf.chosen("mine", match)] == [old.digest]
    await shelf.count_use("mine", match)
    assert (await shelf.chosen("mine", match))[0].times_used == 1
    with pytest.raises(NotFound):
        await shelf.chosen("mine", replace(match, chosen=("gone@000000000000",)))
