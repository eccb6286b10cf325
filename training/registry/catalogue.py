"""Every version of every variant, from the store and from MLflow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, NotFound
from fraud.variant import HOUSE
from models.artifact import REFERENCE_PREFIX, Manifest, version_of
from models.store.alias import CHAMPION, alias_name, moment
from models.store.store import ArtifactStore, StoredVariant
from training.registry.aliases import name_of_mlflow_alias, readable_alias
from training.registry.mlflow_registry import Registered, Registry


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a variant.

    Attributes:
        aliases: the store's aliases that name it: `champion` is the house's, `mine/champion` that
            of tenant `mine`.
        tenant: whose payments it learnt from; None if its manifest does not state it.
        schema_id, served: its features, and whether these are the served ones.
        metrics: on the test part, as measured when it was trained.
        registered: its newest number in MLflow; None if MLflow does not list it.
        run_id: of the whole training run; None if MLflow does not list it.
        trained_at: when it was registered, RFC 3339.
        data_until: end of the data it was trained and tested on, RFC 3339.
        size_bytes: of all its files.
        mlflow_aliases: MLflow's aliases that name it, which follow `aliases`.
        fault: why it cannot be read; None if it can.
    """

    variant: str
    version: str
    digest: str | None
    aliases: list[str] = field(default_factory=list)
    tenant: str | None = None
    family: str | None = None
    schema_id: str | None = None
    served: bool = False
    metrics: dict[str, float] = field(default_factory=dict)
    registered: int | None = None
    run_id: str | None = None
    trained_at: str | None = None
    data_until: str | None = None
    size_bytes: int = 0
    mlflow_aliases: list[str] = field(default_factory=list)
    fault: str | None = None

    @property
    def in_step(self) -> bool:
        """Whether MLflow's aliases match the store's; True if MLflow does not list the version."""
        return self.registered is None or sorted(self.aliases) == sorted(self.mlflow_aliases)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "in_step": self.in_step}


class Catalogue:
    """All versions of all variants.

    Args:
        store: holds the artifacts; its aliases are authoritative.
        registry: None if MLflow does not answer; entries then lack what only MLflow holds.
    """

    def __init__(self, store: ArtifactStore, registry: Registry | None) -> None:
        self._store = store
        self._stored = store.variants()
        self._aliased = {
            (variant, version): named
            for variant, stored in self._stored.items()
            for version, named in _by_version(store, variant, stored).items()
        }
        self._numbers: dict[tuple[str, str], Registered] = {}
        self._named: dict[str, dict[str, int]] = {}
        if registry is not None:
            self._numbers = {(v.variant, version_of(v.digest)): v for v in registry.versions()}
            self._named = registry.aliases()

    def entries(self, variant: str | None = None, tenant: str | None = None) -> list[Entry]:
        """The versions of a variant, or of all variants: by variant, the newest first. References
        are no models, and only listed by their name.

        Args:
            tenant: only versions that learnt from this tenant's payments, or that an alias of its
                own names; None: all.

        Raises:
            NotFound: there is no such variant.
        """
        if variant is not None:
            self._require(variant)
        found = []
        for name, stored in self._stored.items():
            if name == variant or (variant is None and not name.startswith(REFERENCE_PREFIX)):
                made = [self._entry(name, version, stored) for version in stored.versions]
                made = [entry for entry in made if tenant is None or _concerns(entry, tenant)]
                found += sorted(made, key=_age, reverse=True)
        return found

    def entry(self, variant: str, version: str) -> Entry:
        """One version.

        Raises:
            NotFound: there is no such version.
        """
        stored = self._stored.get(variant, StoredVariant())
        if version not in stored.versions:
            raise NotFound(f"there is no {variant} {version}: `quorum models list` lists versions")
        return self._entry(variant, version, stored)

    def version(self, variant: str, name: str, owner: str = HOUSE) -> str:
        """The version that a name denotes: an owner's alias, a version, or MLflow's number.

        Raises:
            NotFound: it denotes none.
        """
        self._require(variant)
        if name.isdigit() and len(name) < 12:
            for known, registered in self._numbers.items():
                if known[0] == variant and registered.number == int(name):
                    return known[1]
            raise NotFound(f"MLflow has no version {name} of {variant}")
        try:
            return self._store.resolve(variant, name, owner).version
        except ArtifactRefused as error:
            near = get_close_matches(name, self._stored[variant].owned.get(owner, []), 1)
            meant = f"did you mean {near[0]}?" if near else "`quorum models list` lists versions"
            raise NotFound(f"{error.args[0]}: {meant}") from error

    def _require(self, variant: str) -> None:
        if variant not in self._stored:
            near = get_close_matches(variant, self._stored, 1)
            meant = f"did you mean {near[0]}?" if near else "`quorum models list` names them"
            raise NotFound(f"there is no variant {variant!r}: {meant}")

    def history(self, variant: str, owner: str = HOUSE) -> list[dict[str, Any]]:
        """The moves of an owner's champion alias, oldest first; [] without a champion."""
        alias = self._store.alias(variant, CHAMPION, owner)
        if alias is None:
            return []
        return [{"version": move.version, **asdict(move)} for move in alias.moves]

    def _entry(self, variant: str, version: str, stored: StoredVariant) -> Entry:
        aliases = self._aliased.get((variant, version), [])
        known = self._numbers.get((variant, version))
        common: dict[str, Any] = {"aliases": aliases, "size_bytes": stored.versions[version]}
        if known is not None:
            named = self._named.get(variant, {})
            common |= {
                "registered": known.number,
                "run_id": known.run_id or None,
                "trained_at": moment(known.registered_at_ms / 1000),
                "mlflow_aliases": [
                    name_of_mlflow_alias(a) for a, number in named.items() if number == known.number
                ],
            }
        try:
            manifest, digest = self._store.manifest(variant, version)
        except ArtifactRefused as error:
            return Entry(variant, version, None, fault=str(error.args[0]), **common)
        return Entry(
            variant,
            version,
            digest,
            tenant=manifest.tenant,
            family=manifest.family,
            schema_id=manifest.schema_id,
            served=manifest.schema_id == SCHEMA_ID,
            metrics=manifest.metrics,
            data_until=data_until(manifest),
            **common,
        )


def _by_version(store: ArtifactStore, variant: str, stored: StoredVariant) -> dict[str, list[str]]:
    """Version -> the aliases that name it, of all owners; broken aliases are left out."""
    found: dict[str, list[str]] = {}
    for owner, aliases in stored.owned.items():
        for alias in aliases:
            named = readable_alias(store, variant, alias, owner)
            if named is not None:
                found.setdefault(named.version, []).append(alias_name(alias, owner))
    return found


def _concerns(entry: Entry, tenant: str) -> bool:
    own = any(alias.startswith(f"{tenant}/") for alias in entry.aliases)
    return own or entry.tenant == tenant


def data_until(manifest: Manifest) -> str | None:
    """The end of a model's data; None if its manifest does not state it."""
    end = manifest.training.get("window", {}).get("test_end")
    return None if end is None else str(end)


def _age(entry: Entry) -> tuple[int, str]:
    return entry.registered or 0, entry.data_until or ""
