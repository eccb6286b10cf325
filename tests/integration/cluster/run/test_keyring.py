from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from cluster.run import demo, keyring
from cluster.terminal.terminal import CommandFailed
from fraud.access.keys import parse_key, verify_key
from settings.settings import Settings

PEPPER = "test pepper"


@pytest.fixture
async def connection(database_url: str):
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE api_keys")
    yield connection
    await connection.close()


async def test_a_key_is_stored_as_its_hash_only(connection: asyncpg.Connection) -> None:
    made = await keyring.create(connection, PEPPER, tenant="a", name="shop", tier="premium")
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
    await keyring.create(connection, PEPPER, tenant="a", name="new", expires_days=7, now=now)
    await keyring.create(connection, PEPPER, tenant="a", name="old", expires_days=7, now=old)
    listed = {key["name"]: key["state"] for key in await keyring.list_keys(connection, "a")}
    assert listed == {"new": "active", "old": "expired"}


async def test_a_tenant_sees_and_revokes_its_own_keys_only(connection: asyncpg.Connection) -> None:
    made = await keyring.create(connection, PEPPER, tenant="a", name="shop")
    assert await keyring.list_keys(connection, "b") == []
    with pytest.raises(CommandFailed, match="no API key"):
        await keyring.revoke(connection, "b", made["key_id"])
    since = await keyring.revoke(connection, "a", made["key_id"])
    assert await keyring.revoke(connection, "a", made["key_id"]) == since
    assert [key["state"] for key in await keyring.list_keys(connection, "a")] == ["revoked"]


@pytest.mark.parametrize("name", ["", "a:b", "ü", "a b", "-a", "x" * 65])
async def test_a_tenant_has_a_name_that_nobody_takes_for_more(
    connection: asyncpg.Connection, name: str
) -> None:
    with pytest.raises(CommandFailed, match="--tenant"):
        await keyring.create(connection, PEPPER, tenant=name, name="n")
    assert await keyring.list_keys(connection, name) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\tb", "\x1b[31mred"])
async def test_a_key_has_a_name_that_can_be_shown(
    connection: asyncpg.Connection, name: str
) -> None:
    with pytest.raises(CommandFailed, match="--name must"):
        await keyring.create(connection, "pepper", tenant="acme", name=name)


async def test_a_key_may_be_given_another_tier_that_there_is(
    connection: asyncpg.Connection,
) -> None:
    made = await keyring.create(connection, PEPPER, tenant="a", name="shop")
    await keyring.set_tier(connection, "a", made["key_id"], "free")
    assert [key["tier"] for key in await keyring.list_keys(connection, "a")] == ["free"]
    with pytest.raises(CommandFailed, match="no API key"):
        await keyring.set_tier(connection, "b", made["key_id"], "premium")
    for attempt in (
        keyring.set_tier(connection, "a", made["key_id"], "gold"),
        keyring.create(connection, PEPPER, tenant="a", name="shop", tier="gold"),
    ):
        with pytest.raises(CommandFailed, match="free, standard, premium, demo"):
            await attempt
    assert [key["tier"] for key in await keyring.list_keys(connection, "a")] == ["free"]


async def test_the_demo_key_is_kept_until_it_is_revoked(
    connection: asyncpg.Connection, database_url: str, tmp_path
) -> None:
    import asyncio

    settings = Settings(
        home=tmp_path, database_url=database_url, key_pepper=PEPPER, tenant="default"
    )

    async def write() -> str:
        return await asyncio.to_thread(demo.write, settings, "http://127.0.0.1:8000")

    first = await write()
    key = parse_key(first)
    assert key is not None
    # One of an older release is made a demo key.
    await keyring.set_tier(connection, "default", key.key_id, "standard")
    assert await write() == first
    assert [key["tier"] for key in await keyring.list_keys(connection, "default")] == ["demo"]
    await keyring.revoke(connection, "default", key.key_id)
    second = await write()
    assert second != first
    assert (tmp_path / "demo.env").read_text().endswith(f"QUORUM_API_KEY={second}\n")
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600
