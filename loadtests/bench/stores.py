"""Separate stores for a comparison app, on the servers that Quorum uses.

A PostgreSQL database (with Quorum's schema, keys and active plan) and a Redis database by number.
Both are dropped when the benchmark ends.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import redis

from settings.settings import Settings

_MIGRATE_S = 60
_COPIED = ("api_keys", "plans")


@dataclass(frozen=True, slots=True)
class Stores:
    """The addresses of an app's stores."""

    database_url: str
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name the stores for `settings.settings`."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@contextmanager
def stores_of(name: str, redis_number: int, settings: Settings) -> Iterator[Stores]:
    """Yield empty stores for the app `name`.

    Args:
        name: lower-case letters.
        redis_number: number of a Redis database for this app alone; it is emptied.
        settings: of Quorum.

    Raises:
        ValueError: the settings name no stores.
        OSError, asyncpg.PostgresError, redis.RedisError: a store does not answer.
        subprocess.CalledProcessError: the schema cannot be made; the reason is on stderr.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise ValueError("DATABASE_URL and REDIS_URL must be set; `make up` does so")
    ours = settings.database_url.get_secret_value()
    database = f"quorum_bench_{name}"
    stores = Stores(
        _with_path(ours, database), _with_path(settings.redis_url.get_secret_value(), redis_number)
    )
    asyncio.run(_execute(ours, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
    try:
        asyncio.run(_execute(ours, f"CREATE DATABASE {database}"))
        _migrate(stores.database_url, settings.home)
        for table in _COPIED:
            asyncio.run(_copy(ours, stores.database_url, table))
        _empty(stores.redis_url)
        yield stores
    finally:
        _empty(stores.redis_url)
        asyncio.run(_execute(ours, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))


def _with_path(url: str, path: str | int) -> str:
    return urlsplit(url)._replace(path=f"/{path}").geturl()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _migrate(database_url: str, home: Path) -> None:
    subprocess.run(
        [str(Path(sys.executable).with_name("quorum")), "migrate"],
        check=True,
        timeout=_MIGRATE_S,
        env={**os.environ, "QUORUM_HOME": str(home), "DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
    )


async def _copy(source_url: str, target_url: str, table: str) -> None:
    source, target = await asyncpg.connect(source_url), await asyncpg.connect(target_url)
    try:
        rows = await source.fetch(f"SELECT * FROM {table}")
        if rows:
            await target.copy_records_to_table(
                table, records=[tuple(row) for row in rows], columns=list(rows[0].keys())
            )
    finally:
        await source.close()
        await target.close()


def _empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb(asynchronous=True)
