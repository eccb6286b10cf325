import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis, daemon
from tests.contracts.waiting import until


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of its own, deep: server sockets' paths must not be in the way."""
    root = Path(tempfile.mkdtemp(prefix="quorum-embedded-"))
    deep = root / ("deep" * 20) / ("deeper" * 20)
    yield deep
    for name in ("postgres", "redis-server"):
        for place in (deep / "pg" / "data", deep / "redis"):
            daemon.end(daemon.find(name, place), first=signal.SIGKILL, patience_s=5)
    shutil.rmtree(root)


@pytest.fixture
def postgres(folder: Path) -> EmbeddedPostgres:
    server = EmbeddedPostgres(folder / "pg")
    server.start()
    return server


@pytest.fixture
def redis_server(folder: Path) -> EmbeddedRedis:
    server = EmbeddedRedis(folder / "redis")
    server.start()
    return server


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


async def test_postgres_does_not_log_what_rows_hold(postgres: EmbeddedPostgres) -> None:
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


async def test_a_pid_file_that_names_somebody_else_is_no_obstacle(
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


def test_a_killed_initdb_is_begun_again(folder: Path) -> None:
    half = folder / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert EmbeddedPostgres(folder / "pg").start()


def test_a_port_that_was_taken_meanwhile_is_changed(redis_server: EmbeddedRedis) -> None:
    import socket

    redis_server.stop()
    port = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as intruder:
        intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        intruder.bind(("127.0.0.1", port))
        intruder.listen()
        assert redis_server.start()
        assert f":{port}/" not in redis_server.url
        assert redis_server.running


def test_redis_keeps_data_over_a_restart_and_a_kill(redis_server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("kept", "7")
        assert client.info("server")["redis_version"].startswith("6.2")
    redis_server.stop()
    redis_server.start()
    pid = redis_server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("kept") == b"7"


def test_redis_asks_for_its_password(redis_server: EmbeddedRedis) -> None:
    port = redis_server.url.rpartition(":")[2]
    with (
        redis.Redis.from_url(f"redis://127.0.0.1:{port}") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_damaged_log_of_writes_is_cut_back(redis_server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("early", "1")
        client.set("late", "2")
    redis_server.stop()
    journal = redis_server.folder / "appendonly.aof"
    whole = journal.read_bytes()
    at = whole.index(b"late") - 8
    journal.write_bytes(whole[:at] + b"garbage\r\n" + whole[at:])
    assert redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("early") == b"1"


def test_a_server_outlives_the_process_that_started_it(folder: Path) -> None:
    program = (
        "from pathlib import Path; from cluster.embedded import EmbeddedRedis;"
        f"EmbeddedRedis(Path({str(folder / 'redis')!r})).start()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert EmbeddedRedis(folder / "redis").running


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's doing, on Linux")
def test_throwaway_servers_die_with_a_killed_process(folder: Path) -> None:
    program = (
        "from pathlib import Path; import time; from cluster.embedded import *;"
        f"f = Path({str(folder)!r});"
        "EmbeddedRedis(f / 'redis', throwaway=True).start();"
        "EmbeddedPostgres(f / 'pg', throwaway=True).start(); print('up', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        left = [
            *daemon.find("redis-server", folder / "redis"),
            *daemon.find("postgres", folder / "pg" / "data"),
        ]
        assert len(left) > 2
        owner.kill()
    deadline = time.monotonic() + 10
    while any(_lives(process) for process in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_lives(process) for process in left)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
