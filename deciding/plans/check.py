"""What a plan's document must have in common with the world: models that exist, belong to its
owner or the house, and speak the served features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from fraud.variant import HOUSE, VariantRef

Fault = tuple[str, str, str]
"""Pointer (RFC 6901), code, detail."""

FOREIGN, UNKNOWN, OTHER_SCHEMA = "foreign_variant", "unknown_variant", "other_schema"


class Models(Protocol):
    """The models that plans may name."""

    def schema_of(self, ref: VariantRef) -> str | None:
        """Return the schema id of the model that a name means now, None if there is no such model.

        Raises:
            ArtifactsUnavailable: the store does not answer.
        """
        ...


def faults_of(document: Any, owner: str, models: Models, schema_id: str) -> tuple[Fault, ...]:
    """Return what is wrong with the variants that a plan names.

    Args:
        document: of a valid plan.
        owner: the tenant that it belongs to, `HOUSE` for the house.
        models: what may be named. Each name is looked up once.
        schema_id: of the features that are served.
    """
    found: dict[str, tuple[str, str] | None] = {}
    faults = []
    for pointer, name in named_variants(document):
        if name not in found:
            found[name] = _fault(name, owner, models, schema_id)
        wrong = found[name]
        if wrong is not None:
            faults.append((pointer, *wrong))
    return tuple(faults)


def named_variants(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Return (pointer, name) of every variant in a plan's document, sub-plans included."""
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from named_variants(item, f"{pointer}/{i}")
    if not isinstance(value, dict):
        return
    for key in ("variant", "anomaly"):
        if isinstance(value.get(key), str):
            yield f"{pointer}/{key}", value[key]
    for key, item in value.items():
        yield from named_variants(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


def _fault(name: str, owner: str, models: Models, schema_id: str) -> tuple[str, str] | None:
    """Code and detail of what is wrong with a name, None if nothing is."""
    try:
        ref = VariantRef.parse(name)
    except ValueError as error:
        return UNKNOWN, str(error)
    if ref.owner not in (HOUSE, owner):
        whose = "the house's" if owner == HOUSE else f"those of {owner} and the house's"
        return FOREIGN, f"another tenant's variant: this plan may name {whose} alone"
    found = models.schema_of(ref)
    if found is None:
        what = "version" if ref.version else "champion"
        return UNKNOWN, f"there is no such {what}: `quorum models list` shows what there is"
    if found != schema_id:
        return OTHER_SCHEMA, f"it was trained on feature schema {found}, and {schema_id} is served"
    return None
