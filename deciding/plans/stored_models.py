"""The models in the artifact store, as plans name them."""

from __future__ import annotations

from fraud.errors import ArtifactRefused
from fraud.variant import VariantRef
from models.store.alias import CHAMPION, Alias
from models.store.store import ArtifactStore


class StoredModels:
    """Finds the model behind a name. Blocks.

    Artifacts are shared by digest between owners. A pinned version is found only if it
    learnt from payments of its owner's, or is or was its owner's champion: no tenant is decided by
    what a model learnt from another's payments.

    Args:
        store: the artifacts.
        home: the home tenant, whose models are the house's.
    """

    def __init__(self, store: ArtifactStore, home: str) -> None:
        self._store = store
        self._home = home

    def schema_of(self, ref: VariantRef) -> str | None:
        """See `deciding.plans.check.Models`."""
        try:
            champion = self._champion(ref)
            version = ref.version or (None if champion is None else champion.version)
            if version is None:
                return None
            manifest, _ = self._store.manifest(ref.variant, version)
        except ArtifactRefused:
            return None
        learnt_from = manifest.tenant or ref.owner or self._home
        is_own = learnt_from == (ref.owner or self._home) or _was(champion, version)
        return manifest.schema_id if is_own else None

    def _champion(self, ref: VariantRef) -> Alias | None:
        return self._store.alias(ref.variant, CHAMPION, ref.owner)


def _was(champion: Alias | None, version: str) -> bool:
    """Whether an alias names a version, or did."""
    if champion is None:
        return False
    return version in (champion.version, *(move.version for move in champion.moves))
