"""Models in memory: verified when they are loaded, kept for the next part."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bulk.scoring.plan import PlannedArtifact
from fraud.errors import ArtifactRefused
from models.scoring.scorer import Scorer

KEPT = 12
"""Models that a process keeps: those of a job, and of the one before."""


def loaded(artifact: PlannedArtifact) -> Scorer:
    """Return the model of an artifact.

    Raises:
        ArtifactRefused: it is absent, damaged, or another one.
    """
    return _loaded(artifact.folder, artifact.variant, artifact.digest)


@lru_cache(maxsize=KEPT)
def _loaded(folder: str, variant: str, digest: str) -> Scorer:
    scorer = Scorer.load(Path(folder), digest)
    if scorer.manifest.variant != variant:
        raise ArtifactRefused(f"{variant}: it is a model of {scorer.manifest.variant}")
    return scorer
