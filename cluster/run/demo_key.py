"""`$QUORUM_HOME/demo.env`: the address of this Quorum and an API key to try it with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cluster import api_keys
from cluster.home import settings_file
from cluster.home.connection import database, pepper
from fraud.access.keys import parse_key, verify_key
from fraud.access.scopes import ALL_SCOPES
from stores.statements import statement

if TYPE_CHECKING:
    import asyncpg

    from settings.settings import Settings

_TIER = "demo"
_HEADER = "# Written by `quorum up`: the address and a key of this Quorum.\n"


def write_demo_key(settings: Settings, url: str) -> str:
    """Write demo.env. Returns its API key: the one it held if that still works, else a new one.
    Either has every scope."""
    path = settings.home / "demo.env"
    before = settings_file.read(path).get("QUORUM_API_KEY", "")
    key = asyncio.run(_working_key(settings, before))
    settings_file.write(path, {"QUORUM_URL": url, "QUORUM_API_KEY": key}, _HEADER)
    return key


def example_request(url: str, key: str) -> str:
    """Return a curl command to paste into a shell. The shell fills in the current time."""
    body = (
        '{"transaction_id": "demo-\'$(date +%s%N)\'", "customer_id": "demo-customer", '
        '"timestamp": "\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'", "amount": "129.90", '
        '"currency": "USD", "type": "purchase", "merchant_id": "demo-merchant", '
        '"country": "US", "channel": "online"}'
    )
    return (
        f"curl -s {url}/v1/decisions -H 'X-API-Key: {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


async def _working_key(settings: Settings, before: str) -> str:
    async with database(settings) as connection:
        if await _works(connection, settings, before):
            key = parse_key(before)
            assert key is not None
            await api_keys.set_tier(connection, settings.tenant, key.key_id, _TIER)
            await api_keys.set_scopes(connection, settings.tenant, key.key_id, ALL_SCOPES)
            return before
        created = await api_keys.create(
            connection,
            pepper(settings),
            tenant=settings.tenant,
            name="demo",
            tier=_TIER,
            scopes=ALL_SCOPES,
        )
        return str(created["key"])


async def _works(connection: asyncpg.Connection, settings: Settings, text: str) -> bool:
    key = parse_key(text)
    if key is None:
        return False
    stored = await connection.fetchval(
        statement("cluster/sql/key_hash.sql"), settings.tenant, key.key_id
    )
    return stored is not None and verify_key(pepper(settings), key, stored)
