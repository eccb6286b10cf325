"""The training data behind a plan, as the artifacts of its models describe it."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.errors import ArtifactRefused, NotFound
from fraud.plan import Plan
from fraud.variant import VariantRef
from models.drift import REFERENCE_FILE, ReferenceDistributions
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan's models were trained on.

    Attributes:
        variant, version: the artifact that describes it.
        schema_id: of its features.
        distributions: of its features and scores.
    """

    variant: str
    version: str
    schema_id: str
    distributions: ReferenceDistributions


def origin_of(plan: Plan, store: ArtifactStore, alias: str = CHAMPION) -> Origin:
    """The training data behind the member with the largest weight of a plan's control.

    Raises:
        NotFound: its artifact has no reference distributions.
        ArtifactRefused, ArtifactsUnavailable: it cannot be read.
    """
    ref = VariantRef.parse(max(plan.control.members, key=lambda member: member.weight).variant)
    variant = ref.variant
    found = store.resolve(variant, ref.version or alias, ref.owner)
    folder = store.fetch(variant, found.version, found.digest)
    manifest, _ = store.manifest(variant, found.version)
    if REFERENCE_FILE not in manifest.files:
        raise NotFound(f"{variant} {found.version} has no {REFERENCE_FILE}: train again")
    try:
        distributions = ReferenceDistributions.from_bytes((folder / REFERENCE_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactRefused(f"{variant} {found.version}: {REFERENCE_FILE}: {error}") from error
    return Origin(variant, found.version, manifest.schema_id, distributions)
