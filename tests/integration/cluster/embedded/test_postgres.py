"""The embedded PostgreSQL: restarts, kills, its password and its log."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest

from cluster.embedded import EmbeddedPostgres, daemon
from tests.contracts.waiting import until


async def _ask(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_postgres_keeps_data_and_address_over_a_restart(postgres: EmbeddedPostgres) -> None:
    await _ask(postgres, "CREATE TABLE kept AS SELECT 7 AS n")
    url = postgres.url
    assert not postgres.start()
    assert postgres.stop()
    assert not postgres.running
    assert not postgres.stop()
    assert postgres.start()
    assert postgres.url == url
    assert await _ask(postgres, "SELECT n FROM kept") == 7


async def test_postgres_is_version_18_and_flushes(postgres: EmbeddedPostgres) -> None:
    assert str(await _ask(postgres, "SHOW server_version")).startswith("18")
    assert await _ask(postgres, "SHOW fsync") == "on"


async def test_postgres_asks_for_its_password(postgres: EmbeddedPostgres) -> None:
    password = postgres.url.partition(":")[2].partition(":")[2].partition("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url.replace(password, "guessed"))


async def test_postgres_does_not_log_contents_of_rows(postgres: EmbeddedPostgres) -> None:
    await _ask(postgres, "CREATE TABLE strict (n int CHECK (n > 0), who text)")
    with pytest.raises(asyncpg.CheckViolationError):
        await _ask(postgres, "INSERT INTO strict VALUES (-1, 'somebody-private')")
    log = postgres.log.read_text()
    assert "violates check constraint" in log
    assert "somebody-private" not in log


async def test_postgres_recovers_from_a_kill(postgres: EmbeddedPostgres) -> None:
    await _ask(postgres, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert postgres.start()
    assert await _ask(postgres, "SELECT n FROM kept") == 7


async def test_a_pid_file_with_the_pid_of_another_process_does_not_prevent_a_start(
    postgres: EmbeddedPostgres,
) -> None:
    running = daemon.find("postgres", postgres.data)
    daemon.end(running, first=signal.SIGKILL, patience_s=30)
    await until(lambda: postgres.pid is None)
    stale = postgres.data / "postmaster.pid"
    lines = stale.read_text().splitlines()
    bystander = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220 — starts at once
    try:
        stale.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        assert postgres.pid is None
        assert postgres.start()
        assert await _ask(postgres, "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_killed_initdb_is_repeated(folder: Path) -> None:
    half = folder / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert EmbeddedPostgres(folder / "pg").start()
