"""The front's connections to PostgreSQL."""

from __future__ import annotations

import asyncpg

from fraud.settings import Settings


async def open_pools(settings: Settings) -> tuple[asyncpg.Pool, asyncpg.Pool | None]:
    """Pools on the primary and, if one is set, on the read replica. Neither need be up yet.

    Raises:
        ValueError: DATABASE_URL is not set.
    """
    if settings.database_url is None:
        raise ValueError("DATABASE_URL must be set")
    primary = await _pool(settings.database_url.get_secret_value(), settings)
    if settings.database_replica_url is None:
        return primary, None
    return primary, await _pool(settings.database_replica_url.get_secret_value(), settings)


async def _pool(url: str, settings: Settings) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        # Nothing is connected before it is needed: the front comes up while PostgreSQL is down.
        min_size=0,
        max_size=settings.database_pool_size,
        command_timeout=settings.database_timeout_s,
        timeout=settings.database_timeout_s,
    )
