"""Whose payments a model may have learnt from to become an owner's champion.

A tenant's champions decide for that tenant alone, and learn from its own payments alone. The
house's decide for every tenant without its own. They learn from the home tenant's payments, unless
somebody asks for another tenant's to decide for all.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, OtherTenant
from fraud.variant import HOUSE
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


def require_own_payments(
    store: ArtifactStore, owner: str, home_tenant: str, challengers: Mapping[str, str | None]
) -> None:
    """Refuse models that learnt from the payments of another tenant than their owner.

    For the house, models whose manifest names no tenant pass, and the champions that they replace
    must be of the same tenant. Champions that no replica would load, or whose manifest names no
    tenant, may be replaced by any of the home tenant.

    Args:
        store: holds the champions.
        owner: whose champions the models would be.
        home_tenant: whose payments the house's champions learn from.
        challengers: variant -> the tenant whose payments its new model learnt from; None if
            unknown.

    Raises:
        OtherTenant: at least one model may not become champion.
    """
    expected = owner or home_tenant
    foreign = {
        variant: tenant
        for variant, tenant in challengers.items()
        if tenant != expected and (owner != HOUSE or tenant is not None)
    }
    if foreign:
        raise OtherTenant(
            f"models of {_by_tenant(foreign)} would become the champions of"
            f" {f'tenant {owner}' if owner else f'the house, which learn from {home_tenant}'}:"
            " nothing was changed"
        )
    if owner != HOUSE:
        return
    replaced = {
        variant: theirs
        for variant, tenant in challengers.items()
        if tenant is not None
        and (theirs := _learnt_from(store, variant)) is not None
        and theirs != tenant
    }
    if replaced:
        raise OtherTenant(
            f"models of tenant {home_tenant} would replace the house's champions of"
            f" {_by_tenant(replaced)}, which decide for every tenant without its own: nothing was"
            " changed"
        )


def _by_tenant(found: Mapping[str, str | None]) -> str:
    """`tenant bank (logistic); tenant shop (xgboost)`."""
    names: dict[str, list[str]] = {}
    for variant, tenant in found.items():
        names.setdefault("no known tenant" if tenant is None else f"tenant {tenant}", []).append(
            variant
        )
    return "; ".join(f"{tenant} ({', '.join(v)})" for tenant, v in sorted(names.items()))


def _learnt_from(store: ArtifactStore, variant: str) -> str | None:
    """The tenant of the house's champion of a variant; None if there is none to protect."""
    try:
        alias = store.alias(variant, CHAMPION)
        if alias is None:
            return None
        manifest, _ = store.manifest(variant, alias.version)
    except ArtifactRefused:
        return None
    loadable = bool(manifest.columns) or manifest.schema_id == SCHEMA_ID
    return manifest.tenant if loadable else None
