"""API keys in a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from cluster import api_keys
from cluster.errors import CommandFailed
from fraud.access.keys import parse_key, verify_key
from fraud.access.scopes import ALL_SCOPES, DEFAULT_SCOPES

PEPPER = "test pepper"


async def test_a_key_is_stored_as_its_hash_only(connection: asyncpg.Connection) -> None:
    made = await api_keys.create(connection, PEPPER, tenant="a", name="shop", tier="premium")
    row = await connection.fetchrow("SELECT * FROM api_keys")
    key = parse_key(made["key"])
    assert key is not None
    assert verify_key(PEPPER, key, row["hash"])
    assert key.secret not in str(dict(row))
    assert (row["tenant"], row["name"], row["tier"]) == ("a", "shop", "premium")
    assert row["expires_at"] is None


async def test_a_key_may_expire(connection: asyncpg.Connection) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(days=8)
    await api_keys.create(connection, PEPPER, tenant="a", name="new", expires_days=7, now=now)
    await api_keys.create(connection, PEPPER, tenant="a", name="old", expires_days=7, now=old)
    listed = {key["name"]: key["state"] for key in await api_keys.list_keys(connection, "a")}
    assert listed == {"new": "active", "old": "expired"}


async def test_a_tenant_sees_and_revokes_its_own_keys_only(connection: asyncpg.Connection) -> None:
    made = await api_keys.create(connection, PEPPER, tenant="a", name="shop")
    assert await api_keys.list_keys(connection, "b") == []
    with pytest.raises(CommandFailed, match="no API key"):
        await api_keys.revoke(connection, "b", made["key_id"])
    since = await api_keys.revoke(connection, "a", made["key_id"])
    assert await api_keys.revoke(connection, "a", made["key_id"]) == since
    assert [key["state"] for key in await api_keys.list_keys(connection, "a")] == ["revoked"]


@pytest.mark.parametrize("name", ["", "a:b", "ü", "a b", "-a", "x" * 65])
async def test_names_of_tenants_are_plain(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises(CommandFailed, match="--tenant"):
        await api_keys.create(connection, PEPPER, tenant=name, name="n")
    assert await api_keys.list_keys(connection, name) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\tb", "\x1b[31mred"])
async def test_names_of_keys_are_printable(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises(CommandFailed, match="--name must"):
        await api_keys.create(connection, "pepper", tenant="acme", name=name)


async def test_a_key_has_the_scopes_it_is_given_and_can_get_others(
    connection: asyncpg.Connection,
) -> None:
    made = await api_keys.create(connection, PEPPER, tenant="a", name="shop")
    plain = await api_keys.create(connection, PEPPER, tenant="a", name="ops", scopes=("plans",))
    assert (made["scopes"], plain["scopes"]) == (list(DEFAULT_SCOPES), ["plans"])
    await api_keys.set_scopes(connection, "a", made["key_id"], ("decide",))
    with pytest.raises(CommandFailed, match="no API key"):
        await api_keys.set_scopes(connection, "b", plain["key_id"], ("admin",))
    listed = {key["name"]: key["scopes"] for key in await api_keys.list_keys(connection, "a")}
    assert listed == {"shop": ["decide"], "ops": ["plans"]}


async def test_every_scope_can_be_stored(connection: asyncpg.Connection) -> None:
    await api_keys.create(connection, PEPPER, tenant="a", name="all", scopes=ALL_SCOPES)
    (listed,) = await api_keys.list_keys(connection, "a")
    assert listed["scopes"] == list(ALL_SCOPES)


async def test_a_key_can_change_to_another_existing_tier(
    connection: asyncpg.Connection,
) -> None:
    made = await api_keys.create(connection, PEPPER, tenant="a", name="shop")
    await api_keys.set_tier(connection, "a", made["key_id"], "free")
    assert [key["tier"] for key in await api_keys.list_keys(connection, "a")] == ["free"]
    with pytest.raises(CommandFailed, match="no API key"):
        await api_keys.set_tier(connection, "b", made["key_id"], "premium")
    for attempt in (
        api_keys.set_tier(connection, "a", made["key_id"], "gold"),
        api_keys.create(connection, PEPPER, tenant="a", name="shop", tier="gold"),
    ):
        with pytest.raises(CommandFailed, match="free, standard, premium, demo"):
            await attempt
    assert [key["tier"] for key in await api_keys.list_keys(connection, "a")] == ["free"]
