"""Migrations on a real PostgreSQL."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cluster.embedded import EmbeddedPostgres
from cluster.errors import CommandFailed
from cluster.schema.migrate import Migration, migrate, pending, read_migrations

ONE = Migration("0001_one.pre.sql", 1, "pre", "CREATE TABLE one (x int); SELECT pg_sleep(0.2);")
TWO = Migration("0002_two.pre.sql", 2, "pre", "ALTER TABLE one ADD COLUMN y int;")
LATE = Migration("0002_two.post.sql", 2, "post", "ALTER TABLE one DROP COLUMN x;")


@pytest.fixture
async def url(postgres: EmbeddedPostgres):
    """A database of its own for each test: migrations of one test would affect the next."""
    name = f"m_{uuid4().hex[:12]}"
    server = postgres.url.rpartition("/")[0]
    admin = await asyncpg.connect(f"{server}/postgres")
    await admin.execute(f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def _columns(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'one'"
        )
        return {row["column_name"] for row in rows}
    finally:
        await connection.close()


async def test_a_second_run_has_nothing_to_do(url: str) -> None:
    first = await migrate(url, migrations=[ONE, TWO])
    second = await migrate(url, migrations=[ONE, TWO])
    assert [file for file, _ in first.applied] == [ONE.file, TWO.file]
    assert (second.applied, second.present) == ((), 2)


async def test_two_runners_at_once_apply_each_file_once(url: str) -> None:
    outcomes = await asyncio.gather(*(migrate(url, migrations=[ONE, TWO]) for _ in range(3)))
    applied = [file for outcome in outcomes for file, _ in outcome.applied]
    assert sorted(applied) == [ONE.file, TWO.file]


async def test_a_changed_file_stops_the_run(url: str) -> None:
    await migrate(url, migrations=[ONE])
    with pytest.raises(CommandFailed, match=r"0001_one\.pre\.sql"):
        await migrate(url, migrations=[replace(ONE, sql=ONE.sql + "--"), TWO])
    assert await _columns(url) == {"x"}


async def test_phases_run_apart(url: str) -> None:
    await migrate(url, "pre", [ONE, TWO, LATE])
    assert await _columns(url) == {"x", "y"}
    outcome = await migrate(url, "post", [ONE, TWO, LATE])
    assert [file for file, _ in outcome.applied] == [LATE.file]
    assert await _columns(url) == {"y"}


async def test_a_file_that_fails_leaves_nothing(url: str) -> None:
    broken = replace(TWO, sql="ALTER TABLE one ADD COLUMN y int; SELECT 1/0;")
    with pytest.raises(CommandFailed, match="division by zero"):
        await migrate(url, migrations=[ONE, broken])
    assert await _columns(url) == {"x"}
    await migrate(url, migrations=[ONE, TWO])
    assert await _columns(url) == {"x", "y"}


async def test_files_of_a_newer_release_are_reported_and_left_alone(url: str) -> None:
    await migrate(url, migrations=[ONE, TWO])
    outcome = await migrate(url, migrations=[ONE])
    assert outcome.unknown == (TWO.file,)


async def test_our_migrations_apply_to_an_empty_database(url: str) -> None:
    assert await pending(url) == [m.file for m in read_migrations()]
    await migrate(url)
    assert await pending(url) == []


def test_order_is_by_number_and_pre_comes_before_post(tmp_path: Path) -> None:
    for name in ("0002_b.post.sql", "0002_b.pre.sql", "0001_a.post.sql", "notes.md"):
        (tmp_path / name).write_text("SELECT 1;")
    names = [m.file for m in read_migrations(tmp_path)]
    assert names == ["0001_a.post.sql", "0002_b.pre.sql", "0002_b.post.sql"]


@pytest.mark.parametrize("name", ["1_short.pre.sql", "0001_a.sql", "0001-a.pre.sql"])
def test_misnamed_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(CommandFailed, match="wrong name"):
        read_migrations(tmp_path)


def test_two_files_of_one_number_and_phase_are_refused(tmp_path: Path) -> None:
    for name in ("0001_a.pre.sql", "0001_b.pre.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(CommandFailed, match="share a number"):
        read_migrations(tmp_path)
