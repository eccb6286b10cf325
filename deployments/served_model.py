"""The model that a replica serves, and its exchange for a newer one meanwhile. Knows no Ray."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from deployments import metrics
from deployments.catalog import Reference, resolve
from deployments.scorer import Scorer
from fraud.errors import ArtifactRefused, QuorumError

logger = logging.getLogger(__name__)

POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class Description:
    """What a replica serves.

    Attributes:
        variant: its name.
        artifact: what it was told to serve: an alias, a version or a digest.
        version, digest: what that is now.
        family, runtime, schema_id: see `fraud.artifact.Manifest`.
        explains: whether it can give contributions.
        refused: why the newest artifact behind the alias is not served; None if it is.
    """

    variant: str
    artifact: str
    version: str
    digest: str
    family: str
    runtime: str
    schema_id: str
    explains: bool
    refused: str | None


class ServedModel:
    """Loads what a name means and follows the name when it moves.

    A new artifact is read, verified, tried and warmed up beside the old one, then takes its place
    in one assignment: calls see the one or the other, never a gap. An artifact that fails is
    refused and the old one goes on serving.

    Args:
        root: folder of all artifacts.
        variant: whose model.
        artifact: an alias, a version or a digest.
        schema_id: the feature schema that this house speaks.
    """

    def __init__(self, root: Path, variant: str, artifact: str, schema_id: str) -> None:
        self._root = root
        self._variant = variant
        self._artifact = artifact
        self._schema_id = schema_id
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = resolve(root, variant, artifact)
        self._refused: str | None = None
        self.scorer = self._load(self._seen)

    def follow(self, interval_s: float = POLL_S) -> None:
        """Look for changes every `interval_s` in a thread of its own, until `close`."""
        self._thread = threading.Thread(
            target=self._run, args=(interval_s,), name="artifact-watch", daemon=True
        )
        self._thread.start()

    def refresh(self) -> bool:
        """Look once. Returns whether another model serves now; never raises."""
        try:
            reference = resolve(self._root, self._variant, self._artifact)
            if reference == self._seen:
                return False
            # Seen before it is tried: a bad artifact is refused once, not every two seconds.
            self._seen = reference
            if reference.digest == self.scorer.digest:
                self._refused = None
                return False
            self.scorer = self._load(reference)
        except QuorumError as error:
            self._refuse(str(error))
            return False
        self._refused = None
        metrics.VARIANT_SWAPS.labels(self._variant, "taken").inc()
        logger.warning("variant %s now serves %s", self._variant, self.scorer.version)
        return True

    def describe(self) -> Description:
        """What is served now."""
        scorer = self.scorer
        return Description(
            self._variant,
            self._artifact,
            scorer.version,
            scorer.digest,
            scorer.manifest.family,
            scorer.manifest.runtime,
            scorer.manifest.schema_id,
            scorer.explains,
            self._refused,
        )

    @property
    def following(self) -> bool:
        """Whether it looks for changes."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _load(self, reference: Reference) -> Scorer:
        scorer = Scorer.load(reference.folder, reference.digest, self._schema_id)
        if scorer.manifest.variant != self._variant:
            raise ArtifactRefused(f"{scorer.manifest.variant} is not {self._variant}")
        if scorer.explains:
            scorer.prepare_contributions()
        return scorer

    def _refuse(self, why: str) -> None:
        if why != self._refused:
            metrics.VARIANT_SWAPS.labels(self._variant, "refused").inc()
            logger.error("variant %s keeps %s: %s", self._variant, self.scorer.version, why)
        self._refused = why

    def _run(self, interval_s: float) -> None:
        while not self._stop.wait(interval_s):
            self.refresh()
