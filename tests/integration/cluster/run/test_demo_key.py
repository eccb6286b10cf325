"""The key that `quorum up` writes to demo.env."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from cluster import api_keys
from cluster.run.demo_key import write_demo_key
from fraud.access.keys import parse_key
from fraud.access.scopes import ALL_SCOPES, DEFAULT_SCOPES
from settings.settings import Settings

PEPPER = "test pepper"


async def test_the_demo_key_is_kept_until_it_is_revoked(
    connection: asyncpg.Connection, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        home=tmp_path, database_url=database_url, key_pepper=PEPPER, tenant="default"
    )

    async def write() -> str:
        return await asyncio.to_thread(write_demo_key, settings, "http://127.0.0.1:8000")

    async def kinds() -> list[tuple[str, list[str]]]:
        keys = await api_keys.list_keys(connection, "default")
        return [(key["tier"], key["scopes"]) for key in keys]

    first = await write()
    assert await kinds() == [("demo", list(ALL_SCOPES))]
    key = parse_key(first)
    assert key is not None
    # A key made by an older release becomes a demo key.
    await api_keys.set_tier(connection, "default", key.key_id, "standard")
    await api_keys.set_scopes(connection, "default", key.key_id, DEFAULT_SCOPES)
    assert await write() == first
    assert await kinds() == [("demo", list(ALL_SCOPES))]
    await api_keys.revoke(connection, "default", key.key_id)
    second = await write()
    assert second != first
    assert await kinds() == [("demo", list(ALL_SCOPES))] * 2
    assert (tmp_path / "demo.env").read_text().endswith(f"QUORUM_API_KEY={second}\n")
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600
