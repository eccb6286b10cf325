"""What the models that decide were trained on, as their artifacts say it."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.errors import ArtifactRefused, NotFound
from fraud.plan import Plan
from models.drift import REFERENCE_FILE, References
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan's models were trained on.

    Attributes:
        variant, version: the artifact that says so.
        schema_id: of its features.
        references: how they were spread.
    """

    variant: str
    version: str
    schema_id: str
    references: References


def origin_of(plan: Plan, store: ArtifactStore, alias: str = CHAMPION) -> Origin:
    """The reference of the heaviest member of a plan.

    Raises:
        NotFound: its artifact carries none.
        ArtifactRefused, ArtifactsUnavailable: it cannot be read.
    """
    variant = max(plan.members, key=lambda member: member.weight).variant
    found = store.resolve(variant, alias)
    folder = store.fetch(variant, found.version, found.digest)
    manifest, _ = store.manifest(variant, found.version)
    if REFERENCE_FILE not in manifest.files:
        raise NotFound(
            f"{variant} {found.version} was trained before references were kept: train again"
        )
    try:
        references = References.from_bytes((folder / REFERENCE_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactRefused(f"{variant} {found.version}: {REFERENCE_FILE}: {error}") from error
    return Origin(variant, found.version, manifest.schema_id, references)
