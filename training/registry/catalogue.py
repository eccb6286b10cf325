"""Every version of every variant: what the store holds beside what MLflow says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, NotFound
from models.artifact import Manifest, version_of
from models.store.alias import CHAMPION, moment
from models.store.store import ArtifactStore, StoredVariant
from training.registry.mlflow_registry import Registered, Registry


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a variant.

    Attributes:
        aliases: that name it, in the store.
        schema_id, served: which features it sees, and whether they are those that are served.
        metrics: out of time, as measured when it was trained.
        registered: MLflow's newest number of it, None if it knows none.
        run_id: of the training run as a whole; None where MLflow knows none.
        trained_at: when it was registered, RFC 3339.
        data_until: end of the data it was trained and judged on, RFC 3339.
        size_bytes: of all its files.
        mlflow_aliases: that name it there; they follow `aliases`.
        fault: why it cannot be read; None if it can.
    """

    variant: str
    version: str
    digest: str | None
    aliases: list[str] = field(default_factory=list)
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
        """Whether MLflow's aliases are the store's, where MLflow knows the version."""
        return self.registered is None or sorted(self.aliases) == sorted(self.mlflow_aliases)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "in_step": self.in_step}


class Catalogue:
    """What there is.

    Args:
        store: holds the artifacts; what it says of aliases counts.
        registry: None where MLflow does not answer: entries then lack what only it knows.
    """

    def __init__(self, store: ArtifactStore, registry: Registry | None) -> None:
        self._store = store
        self._shelves = store.variants()
        self._aliased = {
            (variant, version): named
            for variant, shelf in self._shelves.items()
            for version, named in _by_version(store, variant, shelf).items()
        }
        self._numbers: dict[tuple[str, str], Registered] = {}
        self._named: dict[str, dict[str, int]] = {}
        if registry is not None:
            self._numbers = {(v.variant, version_of(v.digest)): v for v in registry.versions()}
            self._named = registry.aliases()

    def entries(self, variant: str | None = None) -> list[Entry]:
        """Versions of a variant, or of all: by variant, the newest first.

        Raises:
            NotFound: there is no such variant.
        """
        if variant is not None:
            self._require(variant)
        found = []
        for name, shelf in self._shelves.items():
            if variant in (None, name):
                made = [self._entry(name, version, shelf) for version in shelf.versions]
                found += sorted(made, key=_age, reverse=True)
        return found

    def entry(self, variant: str, version: str) -> Entry:
        """One version.

        Raises:
            NotFound: there is no such version.
        """
        shelf = self._shelves.get(variant, StoredVariant())
        if version not in shelf.versions:
            raise NotFound(f"there is no {variant} {version}: `quorum models list` shows what is")
        return self._entry(variant, version, shelf)

    def version(self, variant: str, name: str) -> str:
        """The version that a name means: an alias, a version, or MLflow's number.

        Raises:
            NotFound: it means none.
        """
        self._require(variant)
        if name.isdigit() and len(name) < 12:
            for known, registered in self._numbers.items():
                if known[0] == variant and registered.number == int(name):
                    return known[1]
            raise NotFound(f"MLflow knows no version {name} of {variant}")
        try:
            return self._store.resolve(variant, name).version
        except ArtifactRefused as error:
            near = get_close_matches(name, self._shelves[variant].aliases, 1)
            meant = f"did you mean {near[0]}?" if near else "`quorum models list` shows what is"
            raise NotFound(f"{error.args[0]}: {meant}") from error

    def _require(self, variant: str) -> None:
        if variant not in self._shelves:
            near = get_close_matches(variant, self._shelves, 1)
            meant = f"did you mean {near[0]}?" if near else "`quorum models list` names them"
            raise NotFound(f"there is no variant {variant!r}: {meant}")

    def history(self, variant: str) -> list[dict[str, Any]]:
        """How the champion came to be, oldest first; [] without one."""
        alias = self._store.alias(variant, CHAMPION)
        if alias is None:
            return []
        return [{"version": move.version, **asdict(move)} for move in alias.moves]

    def _entry(self, variant: str, version: str, shelf: StoredVariant) -> Entry:
        aliases = self._aliased.get((variant, version), [])
        known = self._numbers.get((variant, version))
        common: dict[str, Any] = {"aliases": aliases, "size_bytes": shelf.versions[version]}
        if known is not None:
            named = self._named.get(variant, {})
            common |= {
                "registered": known.number,
                "run_id": known.run_id or None,
                "trained_at": moment(known.registered_at_ms / 1000),
                "mlflow_aliases": [a for a, number in named.items() if number == known.number],
            }
        try:
            manifest, digest = self._store.manifest(variant, version)
        except ArtifactRefused as error:
            return Entry(variant, version, None, fault=str(error.args[0]), **common)
        return Entry(
            variant,
            version,
            digest,
            family=manifest.family,
            schema_id=manifest.schema_id,
            served=manifest.schema_id == SCHEMA_ID,
            metrics=manifest.metrics,
            data_until=data_until(manifest),
            **common,
        )


def _by_version(store: ArtifactStore, variant: str, shelf: StoredVariant) -> dict[str, list[str]]:
    """Version -> the aliases that name it; a broken alias names nothing."""
    found: dict[str, list[str]] = {}
    for alias in shelf.aliases:
        try:
            named = store.alias(variant, alias)
        except ArtifactRefused:
            continue
        if named is not None:
            found.setdefault(named.version, []).append(alias)
    return found


def data_until(manifest: Manifest) -> str | None:
    """End of the data of a model; None if its manifest does not say."""
    end = manifest.training.get("window", {}).get("test_end")
    return None if end is None else str(end)


def _age(entry: Entry) -> tuple[int, str]:
    return entry.registered or 0, entry.data_until or ""
