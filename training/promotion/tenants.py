"""The tenant whose payments a champion learnt from.

All tenants share the champions and the plan. Replacing one tenant's champion with another tenant's
model therefore changes every tenant's decisions, so it must be requested explicitly.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, OtherTenant
from models.artifact import Manifest
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


def tenant_of(manifest: Manifest) -> str | None:
    """The tenant whose payments a model learnt from; None if its manifest does not state
    it."""
    tenant = manifest.training.get("tenant")
    return None if tenant is None else str(tenant)


def keep_other_tenants(store: ArtifactStore, challengers: Mapping[str, str | None]) -> None:
    """Refuse models that would replace another tenant's champions.

    Two kinds of champions are not protected: those that no replica would load, and those whose
    manifest names no tenant.

    Args:
        store: holds the champions.
        challengers: variant -> the tenant whose payments its new model learnt from; None if
            unknown.

    Raises:
        OtherTenant: at least one champion belongs to another tenant.
    """
    theirs: dict[str, list[str]] = {}
    for variant, tenant in challengers.items():
        owner = _owner(store, variant)
        if owner is not None and tenant is not None and owner != tenant:
            theirs.setdefault(owner, []).append(variant)
    if not theirs:
        return
    owners = "; ".join(f"{owner} ({', '.join(names)})" for owner, names in sorted(theirs.items()))
    new = ", ".join(sorted({tenant for tenant in challengers.values() if tenant is not None}))
    raise OtherTenant(
        f"models of tenant {new} would replace the champions of tenant {owners}; all tenants share"
        " the champions and the plan, so nothing was changed"
    )


def _owner(store: ArtifactStore, variant: str) -> str | None:
    try:
        alias = store.alias(variant, CHAMPION)
        if alias is None:
            return None
        manifest, _ = store.manifest(variant, alias.version)
    except ArtifactRefused:
        return None
    loadable = bool(manifest.columns) or manifest.schema_id == SCHEMA_ID
    return tenant_of(manifest) if loadable else None
