"""The model behind a pool, looked up before the pool is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.errors import CommandFailed
from fraud.variant import VariantRef

if TYPE_CHECKING:
    from models.store.store import ArtifactStore


def require_model(store: ArtifactStore, ref: VariantRef) -> str:
    """Return the version that a pool of `ref` would serve now.

    Raises:
        CommandFailed: there is no such model, or it was trained on other features.
        ArtifactsUnavailable: the store does not answer.
    """
    from features.definitions import SCHEMA_ID
    from fraud.errors import ArtifactRefused
    from models.store.alias import CHAMPION

    hint = "`quorum models list` shows the models"
    try:
        version = store.resolve(ref.variant, ref.version or CHAMPION, ref.owner).version
        manifest, _ = store.manifest(ref.variant, version)
    except ArtifactRefused as error:
        raise CommandFailed(f"{ref} has no model: {error.args[0]}", hint) from error
    if manifest.schema_id != SCHEMA_ID:
        raise CommandFailed(f"{ref} was trained on other features than are served", hint)
    return version
