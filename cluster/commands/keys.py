"""`quorum keys`: create, list, tier, scopes, revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.home.connection import with_database
from cluster.terminal.console import JsonFlag, emit
from fraud.access.keys import FRESH_S, STALE_S
from fraud.access.scopes import DEFAULT_SCOPES, SCOPES, Scope, parse_scopes
from fraud.access.tiers import DEFAULT_TIER, TIERS

app = typer.Typer(help="Create, list, change and revoke API keys.", no_args_is_help=True)

KeyId = Annotated[
    str,
    typer.Argument(help="The part of the key between `qk_` and the next underscore.", metavar="ID"),
]


def _limits() -> str:
    return "; ".join(
        f"{tier.name}: "
        + ", ".join(f"{quota.rows:,} a {name} in {quota.window_s} s" for name, quota in tier.limits)
        for tier in TIERS.values()
    )


_TIER_HELP = f"Tier, which sets the rate limits (in transactions). {_limits()}."
_SCOPES_HELP = "What the key may do, separated by commas. {}.".format(
    "; ".join(f"{scope}: {meaning}" for scope, meaning in SCOPES.items())
)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who uses the key, for your records.")],
    tenant: TenantOption = None,
    tier: Annotated[str, typer.Option(help=_TIER_HELP)] = DEFAULT_TIER,
    scopes: Annotated[str, typer.Option(help=_SCOPES_HELP)] = ",".join(DEFAULT_SCOPES),
    expires_days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Days of validity.", show_default="never"),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Create an API key and print it. It cannot be shown again: only its hash is stored."""
    from cluster import api_keys
    from cluster.home.connection import pepper

    chosen = _scopes("--scopes", scopes)
    settings = load_settings(tenant)
    created = with_database(
        settings,
        lambda connection: api_keys.create(
            connection,
            pepper(settings),
            tenant=settings.tenant,
            name=name,
            tier=tier,
            scopes=chosen,
            expires_days=expires_days,
        ),
    )
    emit(created, as_json, lambda key: key["key"])


@app.command("list")
def list_keys(tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """List a tenant's API keys: ids, names, tiers, scopes and states, not the keys themselves."""
    from cluster import api_keys

    settings = load_settings(tenant)
    keys = with_database(
        settings, lambda connection: api_keys.list_keys(connection, settings.tenant)
    )
    emit(keys, as_json, lambda keys: _table(keys, settings.tenant))


@app.command("tier")
def change_tier(
    key_id: KeyId,
    tier: Annotated[str, typer.Argument(help=_TIER_HELP)],
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Change the tier of an API key. It takes effect within half a minute."""
    from cluster import api_keys

    settings = load_settings(tenant)
    with_database(
        settings, lambda connection: api_keys.set_tier(connection, settings.tenant, key_id, tier)
    )
    report = {"key_id": key_id, "tenant": settings.tenant, "tier": tier}
    emit(report, as_json, _render_tier)


@app.command("scopes")
def change_scopes(
    key_id: KeyId,
    scopes: Annotated[str, typer.Argument(help=_SCOPES_HELP, metavar="SCOPES")],
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Replace the scopes of an API key. It takes effect within half a minute.

    Replicas cache keys: a scope that is taken away may work for another half minute, or for five
    minutes while PostgreSQL does not answer.
    """
    from cluster import api_keys

    chosen = _scopes("SCOPES", scopes)
    settings = load_settings(tenant)
    with_database(
        settings,
        lambda connection: api_keys.set_scopes(connection, settings.tenant, key_id, chosen),
    )
    report = {"key_id": key_id, "tenant": settings.tenant, "scopes": list(chosen)}
    emit(report, as_json, _render_scopes)


@app.command()
def revoke(
    key_id: KeyId,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke an API key for good.

    Replicas cache keys: a revoked key may work for another half minute, or for five minutes while
    PostgreSQL does not answer.
    """
    from cluster import api_keys

    settings = load_settings(tenant)
    since = with_database(
        settings, lambda connection: api_keys.revoke(connection, settings.tenant, key_id)
    )
    report = {
        "key_id": key_id,
        "tenant": settings.tenant,
        "revoked_at": since,
        "refused_from": since + timedelta(seconds=FRESH_S),
    }
    emit(report, as_json, _render_revoked)


def _scopes(argument: str, text: str) -> tuple[Scope, ...]:
    """Return the scopes that a user named.

    Raises:
        CommandFailed: an unknown scope, or none.
    """
    try:
        return parse_scopes(text)
    except ValueError as error:
        raise CommandFailed(f"{argument}: {error}", "", 2) from error


def _render_tier(report: dict[str, Any]) -> str:
    return (
        f"{report['key_id']} of tenant {report['tenant']} is now {report['tier']};"
        f" it takes effect within {FRESH_S:.0f} s"
    )


def _render_scopes(report: dict[str, Any]) -> str:
    return (
        f"{report['key_id']} of tenant {report['tenant']} now has the scopes"
        f" {', '.join(report['scopes'])}; it takes effect within {FRESH_S:.0f} s"
    )


def _render_revoked(report: dict[str, Any]) -> str:
    return (
        f"revoked {report['key_id']} of tenant {report['tenant']}; it is refused within"
        f" {FRESH_S:.0f} s ({STALE_S:.0f} s while PostgreSQL does not answer)"
    )


def _table(keys: list[dict[str, Any]], tenant: str) -> Any:
    from rich.table import Table

    if not keys:
        return (
            f"tenant {tenant} has no API keys;"
            f" `quorum keys create --name NAME --tenant {tenant}` creates one"
        )
    table = Table(box=None, pad_edge=False)
    for title in ("id", "name", "tier", "scopes", "state", "created", "expires"):
        table.add_column(title)
    for key in keys:
        expires = key["expires_at"]
        table.add_row(
            *(key["key_id"], key["name"], key["tier"], ",".join(key["scopes"]), key["state"]),
            f"{key['created_at']:%Y-%m-%d %H:%M}",
            "never" if expires is None else f"{expires:%Y-%m-%d %H:%M}",
        )
    return table
