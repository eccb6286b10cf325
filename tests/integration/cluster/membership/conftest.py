"""A node's settings that lead to real stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis
from pydantic import SecretStr

from settings.settings import Settings


@pytest.fixture
def settings(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Of a node with its stores, which no head has used."""
    _forget(database_url, redis_url)
    return Settings(
        home=tmp_path / "home",
        host="10.0.0.5",
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        key_pepper=SecretStr("pepper"),
        artifacts_at=str(tmp_path / "artifacts"),
    )


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def _forget(database_url: str, redis_url: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute("TRUNCATE cluster")
        finally:
            await connection.close()

    asyncio.run(run())
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
