"""The key that `quorum up` writes to demo.env."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from cluster import api_keys
from cluster.run.demo_key import write_demo_key
from fraud.access.keys import parse_key
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

    first = await write()
    key = parse_key(first)
    assert key is not None
    # A key made by an older release becomes a demo key.
    await api_keys.set_tier(connection, "default", key.key_id, "standard")
    assert await write() == first
    assert [key["tier"] for key in await api_keys.list_keys(connection, "default")] == ["demo"]
    await api_keys.revoke(connection, "default", key.key_id)
    second = await write()
    assert second != first
    assert (tmp_path / "demo.env").read_text().endswith(f"QUORUM_API_KEY={second}\n")
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600
