"""API keys in the database: create, list, change tier or scopes, revoke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from fraud.access.keys import hash_key, new_key
from fraud.access.scopes import DEFAULT_SCOPES
from fraud.access.tiers import DEFAULT_TIER, TIERS
from fraud.payment.limits import Problem, tenant_problem, text_problem
from stores.statements import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from fraud.access.scopes import Scope


async def create(
    connection: asyncpg.Connection,
    pepper: str,
    *,
    tenant: str,
    name: str,
    tier: str = DEFAULT_TIER,
    scopes: Sequence[Scope] = DEFAULT_SCOPES,
    expires_days: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Create a key. The whole key is in the result and nowhere else.

    Args:
        tier: one of `fraud.access.tiers.TIERS`.
        scopes: what the key may do, at least one.
        expires_days: the key stops working so many days after `now`, > 0; None: never.
        now: the time of creation; None: the current time.

    Returns:
        `key`, `key_id`, `tenant`, `name`, `tier`, `scopes`, `expires_at`.

    Raises:
        CommandFailed: the tier is unknown, or the name of the tenant or key is not allowed.
    """
    _require_tier(tier)
    require_tenant(tenant)
    _require("--name", text_problem(name))
    key = new_key()
    expires_at = None
    if expires_days is not None:
        expires_at = (now or datetime.now(UTC)) + timedelta(days=expires_days)
    await connection.execute(
        statement("cluster/sql/key_insert.sql"),
        key.key_id,
        tenant,
        name,
        hash_key(pepper, key),
        tier,
        list(scopes),
        expires_at,
    )
    return {
        "key": str(key),
        "key_id": key.key_id,
        "tenant": tenant,
        "name": name,
        "tier": tier,
        "scopes": list(scopes),
        "expires_at": expires_at,
    }


async def list_keys(connection: asyncpg.Connection, tenant: str) -> list[dict[str, Any]]:
    """Return a tenant's keys, oldest first, each with its `state` and without secrets."""
    return [
        dict(row) for row in await connection.fetch(statement("cluster/sql/key_list.sql"), tenant)
    ]


async def set_tier(connection: asyncpg.Connection, tenant: str, key_id: str, tier: str) -> None:
    """Change a key's tier. Ingresses follow within `fraud.access.keys.FRESH_S`.

    Raises:
        CommandFailed: the tenant has no such key, or the tier is unknown.
    """
    _require_tier(tier)
    sql = statement("cluster/sql/key_tier.sql")
    if await connection.fetchval(sql, tenant, key_id, tier) is None:
        raise _unknown(tenant, key_id)


async def set_scopes(
    connection: asyncpg.Connection, tenant: str, key_id: str, scopes: Sequence[Scope]
) -> None:
    """Replace a key's scopes. Ingresses follow within `fraud.access.keys.FRESH_S`.

    Args:
        scopes: what the key may do from then on, at least one.

    Raises:
        CommandFailed: the tenant has no such key.
    """
    sql = statement("cluster/sql/key_scopes.sql")
    if await connection.fetchval(sql, tenant, key_id, list(scopes)) is None:
        raise _unknown(tenant, key_id)


async def revoke(connection: asyncpg.Connection, tenant: str, key_id: str) -> datetime:
    """Revoke a key for good. Returns when it was revoked first.

    Raises:
        CommandFailed: the tenant has no such key.
    """
    revoked_at: datetime | None = await connection.fetchval(
        statement("cluster/sql/key_revoke.sql"), tenant, key_id
    )
    if revoked_at is None:
        raise _unknown(tenant, key_id)
    return revoked_at


def _unknown(tenant: str, key_id: str) -> CommandFailed:
    return CommandFailed(
        f"tenant {tenant} has no API key {key_id!r}",
        "`quorum keys list` shows its keys, --tenant names another tenant",
    )


def require_tenant(name: str) -> None:
    """Raise CommandFailed if `name` is not allowed as a tenant's name."""
    _require("--tenant", tenant_problem(name))


def _require(option: str, problem: Problem | None) -> None:
    if problem is not None:
        raise CommandFailed(f"{option} {problem.detail}", "choose another name", 2)


def _require_tier(tier: str) -> None:
    if tier not in TIERS:
        raise CommandFailed(f"unknown tier {tier!r}", f"the tiers are {', '.join(TIERS)}", 2)
