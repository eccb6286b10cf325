"""`quorum keys`: create, list, tier, revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from cluster.terminal.terminal import JsonFlag, emit
from fraud.access.keys import FRESH_S, STALE_S
from fraud.access.tiers import DEFAULT_TIER, TIERS

app = typer.Typer(help="Make, list, change and revoke API keys.", no_args_is_help=True)

TenantOption = Annotated[
    str | None, typer.Option(help="Tenant the key works for; default: QUORUM_TENANT.")
]

KeyId = Annotated[
    str, typer.Argument(help="The part between qk_ and the next underscore.", metavar="ID")
]


def _limits() -> str:
    return "; ".join(
        f"{tier.name}: "
        + ", ".join(f"{quota.rows:,} a {name} in {quota.window_s} s" for name, quota in tier.limits)
        for tier in TIERS.values()
    )


_TIER_HELP = f"Tier of rate limits, in transactions. {_limits()}."


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who uses the key.")],
    tenant: TenantOption = None,
    tier: Annotated[str, typer.Option(help=_TIER_HELP)] = DEFAULT_TIER,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days it works; default: for good.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key and show it, for the only time."""
    import asyncio

    from cluster.home.connection import database, pepper
    from cluster.run import keyring
    from settings.settings import Settings

    settings = Settings.load()

    async def run() -> dict[str, Any]:
        async with database(settings) as connection:
            return await keyring.create(
                connection,
                pepper(settings),
                tenant=tenant or settings.tenant,
                name=name,
                tier=tier,
                expires_days=expires_days,
            )

    emit(asyncio.run(run()), as_json, lambda made: made["key"])


@app.command("list")
def list_keys(tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """List a tenant's API keys. The keys themselves are stored nowhere."""
    import asyncio

    from cluster.home.connection import database
    from cluster.run import keyring
    from settings.settings import Settings

    settings = Settings.load()
    whose = tenant or settings.tenant

    async def run() -> list[dict[str, Any]]:
        async with database(settings) as connection:
            return await keyring.list_keys(connection, whose)

    emit(asyncio.run(run()), as_json, lambda keys: _table(keys, whose))


@app.command("tier")
def change_tier(
    key_id: KeyId,
    tier: Annotated[str, typer.Argument(help=_TIER_HELP)],
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give an API key another tier. Ingresses learn of it within half a minute."""
    import asyncio

    from cluster.home.connection import database
    from cluster.run import keyring
    from settings.settings import Settings

    settings = Settings.load()
    whose = tenant or settings.tenant

    async def run() -> dict[str, Any]:
        async with database(settings) as connection:
            await keyring.set_tier(connection, whose, key_id, tier)
            return {"key_id": key_id, "tenant": whose, "tier": tier}

    emit(asyncio.run(run()), as_json, _moved)


@app.command()
def revoke(
    key_id: KeyId,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke an API key for good.

    Ingresses remember keys: it may go on working for half a minute, and for five minutes while
    PostgreSQL does not answer.
    """
    import asyncio

    from cluster.home.connection import database
    from cluster.run import keyring
    from settings.settings import Settings

    settings = Settings.load()
    whose = tenant or settings.tenant

    async def run() -> dict[str, Any]:
        async with database(settings) as connection:
            since = await keyring.revoke(connection, whose, key_id)
            refused = since + timedelta(seconds=FRESH_S)
            return {
                "key_id": key_id,
                "tenant": whose,
                "revoked_at": since,
                "refused_from": refused,
            }

    emit(asyncio.run(run()), as_json, _revoked)


def _moved(done: dict[str, Any]) -> str:
    return (
        f"{done['key_id']} of tenant {done['tenant']} is now {done['tier']};"
        f" ingresses learn of it within {FRESH_S:.0f} s"
    )


def _revoked(done: dict[str, Any]) -> str:
    return (
        f"revoked {done['key_id']} of tenant {done['tenant']}; ingresses refuse it within"
        f" {FRESH_S:.0f} s ({STALE_S:.0f} s while PostgreSQL does not answer)"
    )


def _table(keys: list[dict[str, Any]], tenant: str) -> Any:
    from rich.table import Table

    if not keys:
        return (
            f"tenant {tenant} has no API keys;"
            f" `quorum keys create --name NAME --tenant {tenant}` makes one"
        )
    table = Table(box=None, pad_edge=False)
    for title in ("id", "name", "tier", "state", "created", "expires"):
        table.add_column(title)
    for key in keys:
        expires = key["expires_at"]
        table.add_row(
            *(key["key_id"], key["name"], key["tier"], key["state"]),
            f"{key['created_at']:%Y-%m-%d %H:%M}",
            "never" if expires is None else f"{expires:%Y-%m-%d %H:%M}",
        )
    return table
