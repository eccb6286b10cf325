"""The model that a replica serves, and its replacement while serving. Needs no Ray."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from fraud.errors import ArtifactRefused, QuorumError, Unavailable
from fraud.variant import HOUSE, VariantRef
from models.scoring.memory import release_memory
from models.scoring.scorer import Scorer
from models.store.alias import DIGEST, VERSION
from models.store.store import ArtifactReference, ArtifactStore
from telemetry import metrics

logger = logging.getLogger(__name__)

_LONGEST_POLL_S = 60.0


@dataclass(frozen=True, slots=True)
class Description:
    """What a replica serves.

    Attributes:
        variant: its name.
        artifact: what it is to serve: an alias, a version or a digest.
        owner: whose alias it is: a tenant, or `HOUSE`.
        version, digest: of the artifact served now.
        family, runtime, schema_id: see `models.artifact.Manifest`.
        explains: whether it can give contributions.
        refused: why the artifact behind the alias is not served; None if it is.
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
    owner: str = HOUSE


class ServedModel:
    """Loads the artifact behind a name, and follows the name when it moves.

    A new artifact is read, verified and warmed up beside the old one, then replaces it in one
    assignment: a call sees one or the other, never a gap. An artifact that fails is refused, and
    the old one goes on serving.

    Args:
        store: of all artifacts.
        variant: its name.
        artifact: an alias, a version or a digest.
        schema_id: the feature schema in use.
        owner: whose alias `artifact` is: a tenant, or `HOUSE`.

    Attributes:
        name: what a plan calls it, such as `mine/xgboost` or `xgboost@2fd6da9b13f3`.
    """

    def __init__(
        self,
        store: ArtifactStore,
        variant: str,
        artifact: str,
        schema_id: str,
        owner: str = HOUSE,
    ) -> None:
        self._store = store
        self._variant = variant
        fixed = VERSION.fullmatch(artifact) or DIGEST.fullmatch(artifact)
        pinned = artifact[:12] if fixed else ""
        self.name = str(VariantRef(variant, owner, pinned))
        self._artifact = artifact
        self._owner = owner
        self._schema_id = schema_id
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = store.resolve(variant, artifact, owner)
        self._refused: str | None = None
        self._unreached = False
        self.scorer = self._load(self._seen)

    def follow(self, interval_s: float | None = None) -> None:
        """Look for changes in a thread of its own, until `close`.

        Args:
            interval_s: time between looks; None: the store's own. It doubles while the store does
                not answer, up to a minute.
        """
        self._thread = threading.Thread(
            target=self._run,
            args=(self._store.poll_s if interval_s is None else interval_s,),
            name="artifact-watch",
            daemon=True,
        )
        self._thread.start()

    def refresh(self) -> bool:
        """Look once. Returns whether another model serves now; never raises."""
        try:
            return self._swap(self._store.resolve(self._variant, self._artifact, self._owner))
        except QuorumError as error:
            self._refuse(str(error))
        except OSError as error:  # a disk or share failed: the model in memory serves on
            self._refuse(f"{type(error).__name__} while looking for a newer model")
        return False

    def _swap(self, reference: ArtifactReference) -> bool:
        if reference == self._seen and not self._unreached:
            return False
        # Remembered before it is loaded: a bad artifact is refused once, not at every look. An
        # artifact that could not be reached is loaded again.
        self._seen = reference
        if reference.digest == self.scorer.digest:
            self._refused, self._unreached = None, False
            return False
        try:
            self.scorer = self._load(reference)
        except Unavailable:
            self._unreached = True
            raise
        except QuorumError:
            self._unreached = False
            raise
        self._unreached = False
        self._refused = None
        metrics.VARIANT_SWAPS.labels(self.name, "taken").inc()
        logger.warning("variant %s now serves %s", self.name, self.scorer.version)
        return True

    def describe(self) -> Description:
        """Describe what is served now."""
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
            self._owner,
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

    def _load(self, reference: ArtifactReference) -> Scorer:
        folder = self._store.fetch(self._variant, reference.version, reference.digest)
        scorer = Scorer.load(folder, reference.digest, self._schema_id)
        if scorer.manifest.variant != self._variant:
            raise ArtifactRefused(f"it is a model of {scorer.manifest.variant}")
        if scorer.explains:
            scorer.prepare_contributions()
        release_memory()
        return scorer

    def _refuse(self, why: str) -> None:
        if why != self._refused:
            metrics.VARIANT_SWAPS.labels(self.name, "refused").inc()
            logger.error("variant %s keeps %s: %s", self.name, self.scorer.version, why)
        self._refused = why

    def _run(self, interval_s: float) -> None:
        wait_s = interval_s
        while not self._stop.wait(wait_s):
            self.refresh()
            silent = self._unreached or self._store.offline
            wait_s = min(2 * wait_s, max(_LONGEST_POLL_S, interval_s)) if silent else interval_s
