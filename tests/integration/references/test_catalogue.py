"""The table of references on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import numpy as np
import pyarrow as pa
import pytest

from fraud.errors import NotFound
from fraud.variant import HOUSE
from references.catalogue import add, count_use, find, listed, remove, visible
from references.profile.measure import measure
from references.reference import Reference, StoredReference
from stores.statements import statement
from tests.contracts.references import small_reference

REFERENCE, _ = small_reference()
PAGE_BYTES = 8_192


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE reference_models")
    yield connection
    await connection.close()


async def added(
    session: asyncpg.Connection, name: str, number: int, owner: str = HOUSE, **more: object
) -> StoredReference:
    reference = replace(REFERENCE, name=name, owner=owner, tenant=owner or "default", rows=number)
    return await add(
        session, reference, f"{number:064x}"[::-1], size_bytes=5, location="file:///x", **more
    )


async def test_the_newest_is_champion_and_the_others_stay(session: asyncpg.Connection) -> None:
    first = await added(session, "a", 1)
    second = await added(session, "a", 2)
    assert [s.digest for s in await visible(session, HOUSE)] == [second.digest]
    entries = await listed(session, HOUSE)
    assert [(e.version, e.alias) for e in entries] == [
        (second.version, "champion"),
        (first.version, ""),
    ]
    await added(session, "a", 3, champion=False)
    assert (await find(session, HOUSE, "a")).digest == second.digest
    await added(session, "a", 1)
    assert (await find(session, HOUSE, "a")).digest == first.digest
    assert len(await listed(session, HOUSE)) == 3, "the same version is not added twice"


async def test_what_is_added_is_found_as_it_was(session: asyncpg.Connection) -> None:
    stored = await added(session, "a", 7)
    assert await find(session, HOUSE, "a") == stored
    assert await find(session, HOUSE, f"a@{stored.version}") == stored
    assert await visible(session, "mine") == [stored]
    (entry,) = await listed(session, None)
    assert entry.metrics == stored.reference.metrics
    assert (entry.columns, entry.best, entry.rows) == (4, "small-xgboost", 7)
    assert json.loads(json.dumps(entry.document()))["trained_at"].startswith("2026-11-01T10:00")
    for name in ("b", "a@000000000000", "a@champion", ""):
        with pytest.raises(NotFound):
            await find(session, HOUSE, name)


async def test_a_tenant_sees_its_own_and_the_houses(session: asyncpg.Connection) -> None:
    house = await added(session, "a", 1)
    mine = await added(session, "a", 2, "mine")
    theirs = await added(session, "b", 3, "theirs")
    assert await visible(session, "mine") == [mine, house]
    assert await visible(session, HOUSE) == [house]
    assert {e.digest for e in await listed(session, "mine")} == {mine.digest, house.digest}
    assert len(await listed(session, None)) == 3
    assert await find(session, "mine", "a") == mine, "its own hides the house's"
    assert await find(session, "mine", f"a@{house.version}") == house
    for name in ("b", f"b@{theirs.version}"):
        with pytest.raises(NotFound):
            await find(session, "mine", name)
    with pytest.raises(NotFound):
        await remove(session, "mine", "b")
    assert await visible(session, "theirs") == [theirs, house]


async def test_removal_drops_a_version_or_all(session: asyncpg.Connection) -> None:
    first, second = await added(session, "a", 1), await added(session, "a", 2)
    assert not await remove(session, HOUSE, "a", first.version)
    assert await remove(session, HOUSE, "a", second.version)
    with pytest.raises(NotFound):
        await remove(session, HOUSE, "a")
    await added(session, "a", 1)
    await added(session, "a", 2)
    assert await remove(session, HOUSE, "a")
    assert await listed(session, None) == []


async def test_uses_are_counted_by_owner_and_version(session: asyncpg.Connection) -> None:
    house, other = await added(session, "a", 1), await added(session, "b", 2)
    mine = await added(session, "a", 1, "mine")
    await count_use(session, [house, other])
    await count_use(session, [house])
    await count_use(session, [])
    used = {e.owner + e.name: e.times_used for e in await listed(session, None)}
    assert used == {"a": 2, "b": 1, "minea": 0}
    assert (await find(session, HOUSE, "a")).times_used == 2
    again = await added(session, "a", 1, "mine")
    assert again.digest == mine.digest
    assert (await find(session, HOUSE, "a")).times_used == 2, "adding it again forgets nothing"


async def test_of_two_added_at_once_one_is_champion(
    database_url: str, session: asyncpg.Connection
) -> None:
    other = await asyncpg.connect(database_url)
    try:
        for number in range(0, 40, 2):
            await asyncio.gather(added(session, "a", number + 1), added(other, "a", number + 2))
            champions = [e for e in await listed(session, None) if e.alias]
            assert len(champions) == 1
    finally:
        await other.close()


async def test_known_documents_are_not_read_again(session: asyncpg.Connection) -> None:
    stored = await added(session, "a", 1)
    known: dict[str, Reference] = {}
    assert await visible(session, HOUSE, known) == [stored]
    assert set(known) == {stored.digest}
    marked = replace(REFERENCE, name="from memory")
    known[stored.digest] = marked
    assert [s.reference for s in await visible(session, HOUSE, known)] == [marked]
    later = await added(session, "b", 2)
    assert {s.digest for s in await visible(session, HOUSE, known)} == {
        stored.digest,
        later.digest,
    }


def wide_reference(seed: int) -> Reference:
    """A reference of 30 columns, ten of them with many categories."""
    rng = np.random.default_rng(seed)
    columns = {
        f"column_{i}": pa.array(rng.normal(0, 100, 300))
        if i % 3
        else pa.array([f"category {c}" for c in rng.integers(0, 60, 300)])
        for i in range(30)
    }
    reference, _ = small_reference("wide", profiles=measure(columns))
    return reference


async def test_lists_of_a_thousand_references_read_no_documents(
    session: asyncpg.Connection,
) -> None:
    """A thousand documents are tens of megabytes. The lists must not touch them: they read a few
    hundred pages, which takes milliseconds on any machine."""
    wide = wide_reference(0)
    size = len(json.dumps(wide.to_document()))
    assert 10_000 < size < 40_000, "a document stays small, or matching gets slow"
    for i in range(1_000):
        await add(
            session,
            replace(wide, name=f"r{i}", owner=HOUSE if i % 2 else "mine"),
            f"{i:064x}"[::-1],
            size_bytes=5,
            location="file:///x",
        )
    await session.execute("ANALYZE reference_models")
    for path in ("champions", "entries"):
        query = statement(f"references/sql/{path}.sql")
        (row,) = await session.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", "mine")
        plan = json.loads(row[0])[0]["Plan"]
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        assert plan["Actual Rows"] == 1_000
        assert pages * PAGE_BYTES < 5_000_000 < 1_000 * size, f"{path} reads {pages} pages"
    known: dict[str, Reference] = {}
    assert len(await visible(session, "mine", known)) == 1_000
    assert len(await visible(session, "mine", known)) == 1_000
