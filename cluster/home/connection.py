"""How a command reaches the stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cluster.terminal.terminal import CommandFailed

if TYPE_CHECKING:
    import asyncpg

    from settings.settings import Settings

_REDIS_WAIT_MS = 5_000


def database_url(settings: Settings) -> str:
    """URL of the system of record.

    Raises:
        CommandFailed: nothing names one.
    """
    return _revealed(settings.database_url, "DATABASE_URL")


def redis_url(settings: Settings) -> str:
    """URL of Redis.

    Raises:
        CommandFailed: nothing names one.
    """
    return _revealed(settings.redis_url, "REDIS_URL")


def pepper(settings: Settings) -> str:
    """The secret that API key hashes depend on.

    Raises:
        CommandFailed: there is none.
    """
    return _revealed(settings.key_pepper, "QUORUM_KEY_PEPPER")


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """One connection to the system of record, closed afterwards.

    Raises:
        CommandFailed: nothing names a database.
        OSError, asyncpg.PostgresError: it does not answer.
    """
    from stores.postgres.connect import connection

    async with connection(
        database_url(settings), timeout_s=settings.database_timeout_s, command_timeout_s=60
    ) as session:
        yield session


async def check_stores(settings: Settings) -> None:
    """Refuse addresses that cannot be used, and a Redis that takes no writes.

    Raises:
        CommandFailed: nothing names a store.
        SettingInvalid, StoreUnavailable: why it cannot be used.
    """
    from stores.postgres.url import address_of

    address_of(database_url(settings))
    if settings.database_replica_url is not None:
        address_of(settings.database_replica_url.get_secret_value(), "DATABASE_REPLICA_URL")
    await _ask_redis(settings, "SET", "q:p", "1", "EX", 60)


async def ask(settings: Settings, variable: str) -> None:
    """Ask the store that a variable names whether it is there.

    Raises:
        CommandFailed, SettingInvalid, StoreUnavailable, OSError: why it cannot be used.
    """
    if variable == "REDIS_URL":
        await _ask_redis(settings, "PING")
        return
    async with database(settings):
        pass


async def _ask_redis(settings: Settings, *words: str | int) -> None:
    from stores.redis.connection import RedisConnection

    redis = RedisConnection(redis_url(settings), _REDIS_WAIT_MS)
    try:
        await redis.call(*words)
    finally:
        await redis.close()


def _revealed(secret: SecretStr | None, variable: str) -> str:
    if secret is None or not secret.get_secret_value():
        raise CommandFailed(f"{variable} is not set", f"run `quorum up`, or set {variable}")
    return secret.get_secret_value()
