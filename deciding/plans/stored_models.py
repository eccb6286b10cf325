"""The models in the artifact store, as plans name them."""

from __future__ import annotations

from fraud.errors import ArtifactRefused
from fraud.variant import VariantRef
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


class StoredModels:
    """Finds the model behind a name. Blocks.

    Args:
        store: the artifacts.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def schema_of(self, ref: VariantRef) -> str | None:
        """See `deciding.plans.check.Models`."""
        try:
            version = ref.version or self._champion(ref)
            if version is None:
                return None
            manifest, _ = self._store.manifest(ref.variant, version)
        except ArtifactRefused:
            return None
        return manifest.schema_id

    def _champion(self, ref: VariantRef) -> str | None:
        alias = self._store.alias(ref.variant, CHAMPION, ref.owner)
        return None if alias is None else alias.version
