"""The stores that all nodes share, and whether this node reaches the same ones as the head."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

from cluster.errors import CommandFailed
from cluster.home.connection import database, redis_url
from cluster.membership.facts import Facts, own_facts
from settings.secret_files import given
from stores.statements import statement

if TYPE_CHECKING:
    import asyncpg

    from settings.settings import Settings

_REDIS_KEY = "q:cluster"
_REDIS_WAIT_MS = 5_000
_NEEDED = {
    "DATABASE_URL": "every node needs the same PostgreSQL",
    "REDIS_URL": "every node needs the same Redis",
    "QUORUM_KEY_PEPPER": "every node needs the same secret for API keys",
}


class Registered(NamedTuple):
    """What the head has written: the identity of the cluster, its address, its facts."""

    cluster_id: str
    head: str
    facts: Facts


def require_shared(settings: Settings) -> None:
    """Check that the settings name stores that other nodes can share.

    Raises:
        CommandFailed: one is not set; names it.
    """
    for variable, why in _NEEDED.items():
        if not given(variable) and not _in_settings(settings, variable):
            raise CommandFailed(f"{variable} is not set: {why}", f"set it, or {variable}_FILE")
    if settings.artifacts_at is None:
        raise CommandFailed(
            "QUORUM_ARTIFACTS is not set: every node needs the same models",
            "set it to s3://bucket/prefix, or to a folder that all nodes share",
        )


def _in_settings(settings: Settings, variable: str) -> bool:
    """Return whether settings.env gives a value that does not name an embedded store."""
    return variable == "QUORUM_KEY_PEPPER" and settings.key_pepper is not None


async def registered(settings: Settings) -> Registered | None:
    """Return what a head has written into PostgreSQL; None if there never was one.

    Raises:
        StoreUnavailable, OSError, asyncpg.PostgresError: PostgreSQL does not answer.
    """
    async with database(settings) as connection:
        row = await connection.fetchrow(statement("cluster/sql/cluster_read.sql"))
    if row is None:
        return None
    return Registered(row["cluster_id"], row["head"], Facts.of(json.loads(row["facts"])))


async def register(settings: Settings, address: str) -> str:
    """Write this node into PostgreSQL and Redis as the head. Returns the identity of the cluster.

    Args:
        address: `host:port` of its Ray.

    Raises:
        CommandFailed, StoreUnavailable, ArtifactsUnavailable: a shared store cannot be used.
    """
    claim = statement("cluster/sql/cluster_claim.sql")
    async with database(settings) as connection, connection.transaction():
        cluster_id: str = await connection.fetchval(claim, address, "{}")
        # The cluster that uses an artifact store first marks it.
        mark = _artifacts(settings, new=cluster_id)
        facts = own_facts(settings, mark, await _clock_ms(connection))
        await connection.execute(claim, address, json.dumps(facts.document()))
    await _call_redis(settings, "SET", _REDIS_KEY, cluster_id)
    return cluster_id


async def require_same_stores(settings: Settings, cluster_id: str) -> None:
    """Check that this node is like the head, and reaches the same stores.

    Args:
        cluster_id: as the head's Ray tells it.

    Raises:
        CommandFailed: a store or a fact differs; names it.
        StoreUnavailable, ArtifactsUnavailable: a store does not answer.
    """
    async with database(settings) as connection:
        row = await connection.fetchrow(statement("cluster/sql/cluster_read.sql"))
        clock_ms = await _clock_ms(connection)
    if row is None or row["cluster_id"] != cluster_id:
        raise CommandFailed(
            "DATABASE_URL leads to another database than the head's", "set it to the head's value"
        )
    if await _call_redis(settings, "GET", _REDIS_KEY) != cluster_id.encode():
        raise CommandFailed(
            "REDIS_URL leads to another Redis than the head's, or it lost its data",
            "set it to the head's value; after a loss `quorum up` at the head marks it again",
        )
    own = own_facts(settings, _artifacts(settings), clock_ms)
    own.require_same(Facts.of(json.loads(row["facts"])))


def _artifacts(settings: Settings, new: str | None = None) -> str:
    from models.store.location import store_of

    return store_of(settings).identity(new)


async def _clock_ms(connection: asyncpg.Connection) -> int:
    """Return how far this machine's clock is ahead of PostgreSQL's, in ms."""
    before = time.time()
    theirs: float = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp())::float8"
    )
    return round(((before + time.time()) / 2 - theirs) * 1000)


async def _call_redis(settings: Settings, *words: str) -> object:
    from stores.redis.connection import RedisConnection

    redis = RedisConnection(redis_url(settings), _REDIS_WAIT_MS)
    try:
        return await redis.call(*words)
    finally:
        await redis.close()
