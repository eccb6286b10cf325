"""The ingress's connections to PostgreSQL."""

from __future__ import annotations

import asyncpg

from settings.settings import Settings
from stores.postgres.connect import open_pool

_NAME = "quorum-front"


async def open_pools(settings: Settings) -> tuple[asyncpg.Pool, asyncpg.Pool | None]:
    """Return pools for the primary and, if set, the read replica. Neither needs to be up yet.

    Raises:
        ValueError: DATABASE_URL is not set.
        SettingInvalid: an address cannot be used.
    """
    if settings.database_url is None:
        raise ValueError("DATABASE_URL must be set")
    size, timeout_s = settings.database_pool_size, settings.database_timeout_s
    url = settings.database_url.get_secret_value()
    primary = await open_pool(url, size=size, timeout_s=timeout_s, name=_NAME)
    if settings.database_replica_url is None:
        return primary, None
    replica = await open_pool(
        settings.database_replica_url.get_secret_value(),
        size=size,
        timeout_s=timeout_s,
        variable="DATABASE_REPLICA_URL",
        name=_NAME,
        writes=False,
    )
    return primary, replica
