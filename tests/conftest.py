"""Real stores for tests: one PostgreSQL and one Redis a run, on free ports, in their own folder.

They die with the test process, however it ends; what killed runs left is removed by the next run.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.contracts.run_folder import run_folder
from tests.contracts.virtual_time import Loop

# What a shell starts in the background ignores an interrupt, for which fixtures are taken down.
signal.signal(signal.SIGINT, signal.default_int_handler)

# An example that has to wait for the processor is slow, not wrong. Every run draws others: half as
# many as usual keep all tests within their time.
settings.register_profile("quorum", deadline=None, max_examples=50)
settings.load_profile("quorum")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests marked `virtual_time` on a loop whose timers cost no time and are never late."""
    if item.get_closest_marker("virtual_time") is not None:
        return {"virtual": Loop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def stores_folder() -> Iterator[Path]:
    """A short folder for the stores' files. Not one of pytest's: each run of pytest takes away the
    right to pass through their common parent, which PostgreSQL needs where root starts it."""
    with run_folder("test") as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(stores_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL whose database `quorum` is migrated and used as a template only."""
    with _migrated(stores_folder / "pg") as server:
        yield server


@pytest.fixture
def own_postgres(stores_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated server of this test's own, to stop and start."""
    with _migrated(stores_folder / f"pg-{uuid4().hex[:8]}") as server:
        yield server


@contextmanager
def _migrated(folder: Path) -> Iterator[EmbeddedPostgres]:
    from cluster.schema.migrate import migrate

    server = EmbeddedPostgres(folder, throwaway=True)
    server.start()
    asyncio.run(migrate(server.url))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server(stores_folder: Path) -> Iterator[EmbeddedRedis]:
    """A running Redis that keeps nothing on disk."""
    server = EmbeddedRedis(stores_folder / "redis", throwaway=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh, migrated database of this test module; dropped afterwards."""
    name = f"t_{uuid4().hex[:12]}"
    _execute(postgres.url, "postgres", f"CREATE DATABASE {name} TEMPLATE quorum")
    yield _at(postgres.url, name)
    _execute(postgres.url, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh database of this test module with nothing in it; dropped afterwards."""
    name = f"e_{uuid4().hex[:12]}"
    _execute(postgres.url, "postgres", f"CREATE DATABASE {name}")
    yield _at(postgres.url, name)
    _execute(postgres.url, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def redis_url(redis_server: EmbeddedRedis) -> str:
    """URL of a real Redis, empty when the test module begins."""
    import redis

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


def _at(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def _execute(url: str, database: str, statement: str) -> None:
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(_at(url, database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
