"""Connections of commands to PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from cluster.errors import CommandFailed

if TYPE_CHECKING:
    import asyncpg
    from pydantic import SecretStr

    from settings.settings import Settings

T = TypeVar("T")

_REDIS_WAIT_MS = 5_000


def database_url(settings: Settings) -> str:
    """Return the URL of PostgreSQL.

    Raises:
        CommandFailed: DATABASE_URL is not set.
    """
    return _revealed(settings.database_url, "DATABASE_URL")


def redis_url(settings: Settings) -> str:
    """Return the URL of Redis.

    Raises:
        CommandFailed: REDIS_URL is not set.
    """
    return _revealed(settings.redis_url, "REDIS_URL")


def pepper(settings: Settings) -> str:
    """Return the secret that API keys are hashed with.

    Raises:
        CommandFailed: QUORUM_KEY_PEPPER is not set.
    """
    return _revealed(settings.key_pepper, "QUORUM_KEY_PEPPER")


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection to PostgreSQL, and close it at the end of the block.

    Raises:
        CommandFailed: DATABASE_URL is not set.
        OSError, asyncpg.PostgresError: PostgreSQL does not answer.
    """
    from stores.postgres.connect import connection

    async with connection(
        database_url(settings), timeout_s=settings.database_timeout_s, command_timeout_s=60
    ) as session:
        yield session


def with_database(settings: Settings, action: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Return what `action` returns for a connection to PostgreSQL, which is closed afterwards.

    Blocks; must not be called from a running event loop.

    Raises:
        CommandFailed, OSError, asyncpg.PostgresError: see `database`.
    """
    import asyncio

    async def run() -> T:
        async with database(settings) as session:
            return await action(session)

    return asyncio.run(run())


async def check_stores(settings: Settings) -> None:
    """Check that the addresses are valid and that Redis accepts writes.

    Raises:
        CommandFailed: an address is not set.
        SettingInvalid, StoreUnavailable: a store cannot be used.
    """
    from stores.postgres.url import address_of

    address_of(database_url(settings))
    if settings.database_replica_url is not None:
        address_of(settings.database_replica_url.get_secret_value(), "DATABASE_REPLICA_URL")
    await _call_redis(settings, "SET", "q:p", "1", "EX", 60)


async def check_external(settings: Settings, variable: str) -> None:
    """Check that the store that `variable` names answers.

    Raises:
        CommandFailed, SettingInvalid, StoreUnavailable, OSError: the store cannot be used.
    """
    if variable == "REDIS_URL":
        await _call_redis(settings, "PING")
        return
    async with database(settings):
        pass


async def _call_redis(settings: Settings, *words: str | int) -> None:
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
