"""One model, loaded from its artifact: verified, warmed up and ready to score. Needs no Ray."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fraud.combine.calibrate import Calibration
from fraud.errors import ArtifactRefused, SchemaMismatch
from fraud.explanation import Explanation
from fraud.payment.batch import Float32, Float64
from models.artifact import REFERENCE_FAMILY, Manifest, read_manifest, version_of
from models.drift import REFERENCE_FILE, ReferenceDistribution, ReferenceDistributions
from models.scoring.contributions import Contributions, contributions_file, load_contributions
from models.scoring.runtime import Runtime, load_runtime

GOLDEN_FILE = "golden.npz"
_WARM_UP_ROWS = (1, 16, 64)
_WARM_UP_TIMES = 4


class Scorer:
    """A verified model. Make one with `load`. Scoring is safe from several threads.

    Attributes:
        manifest: of the artifact.
        digest, version: of the artifact.
        row_seconds: time to score a row of a large batch, measured while warming up.
        explain_row_seconds: time to compute a row's contributions; 0.0 until they are prepared.
    """

    def __init__(self, folder: Path, manifest: Manifest, digest: str, runtime: Runtime) -> None:
        self.folder = folder
        self.manifest = manifest
        self.digest = digest
        self.version = version_of(digest)
        self._runtime = runtime
        self._calibration = Calibration(manifest.calibration)
        self._contributions: Contributions | None = None
        self._reference: ReferenceDistribution | None = None
        self.row_seconds = self.explain_row_seconds = 0.0

    @classmethod
    def load(cls, folder: Path, digest: str | None = None, schema_id: str | None = None) -> Scorer:
        """Read, verify and warm up an artifact.

        Args:
            folder: the artifact's folder.
            digest: the expected digest, if known.
            schema_id: the expected feature schema, if known.

        Raises:
            ArtifactRefused: it is damaged or unreadable, or its golden rows do not reproduce.
            SchemaMismatch: it was trained on other features.
        """
        manifest, actual = read_manifest(folder, digest)
        if manifest.family == REFERENCE_FAMILY:
            raise ArtifactRefused(f"{folder.name}: it is a reference, not a model")
        if schema_id is not None and manifest.schema_id != schema_id:
            raise SchemaMismatch(manifest.schema_id, schema_id)
        try:
            runtime = load_runtime(folder, manifest)
            scorer = cls(folder, manifest, actual, runtime)
            scorer._verify_and_warm_up()
        except ArtifactRefused:
            raise
        except Exception as error:  # runtimes raise errors of many types
            raise ArtifactRefused(f"{folder.name}: {type(error).__name__} on loading") from error
        return scorer

    def score(self, values: Float32, schema_id: str) -> Float64:
        """Return calibrated scores.


        Args:
            values: float32[n, n_features], NaN allowed.
            schema_id: the feature schema of `values`.

        Returns:
            float64[n] in [0, 1]; NaN where the model gives no number.

        Raises:
            SchemaMismatch: the model was trained on other features.
        """
        self._check(schema_id)
        return self._calibration(self._runtime.raw(values))

    @property
    def explains(self) -> bool:
        """Whether the artifact has contributions."""
        return contributions_file(self.manifest) is not None

    def contributions(self, values: Float32, schema_id: str) -> Float64:
        """The log-odds that each feature adds to each row, without the bias.

        They come from another file, loaded on first use or by `prepare_contributions`.

        Args:
            values: float32[m, n_features].
            schema_id: the feature schema of `values`.

        Returns:
            float64[m, n_features].

        Raises:
            ArtifactRefused: the artifact has no such file, or it is unreadable.
            SchemaMismatch: the model was trained on other features.
        """
        self._check(schema_id)
        return self.prepare_contributions()(values)

    def explain(self, values: Float32, schema_id: str) -> Explanation:
        """`contributions`, with the usual range and share of each value among the training rows.

        Raises:
            ArtifactRefused, SchemaMismatch: see `contributions`.
        """
        found = self.contributions(values, schema_id)
        if self._reference is None:
            return Explanation.bare(self.digest, found)
        low, high = self._reference.middle()
        return Explanation(self.digest, found, low, high, self._reference.share(values))

    def prepare_contributions(self) -> Contributions:
        """Load what `contributions` needs now, so that the first caller does not wait.

        Raises:
            ArtifactRefused: see `contributions`.
        """
        if self._contributions is None:
            # First: a thread that sees the contributions must see the distribution, too.
            self._reference = _feature_distribution(self.folder, self.manifest)
            self._contributions = load_contributions(self.folder, self.manifest)
            rows = np.zeros((1, self.manifest.n_features), np.float32)
            self.explain_row_seconds = _best_s(self._contributions, rows)
        return self._contributions

    def _check(self, schema_id: str) -> None:
        if schema_id != self.manifest.schema_id:
            raise SchemaMismatch(self.manifest.schema_id, schema_id)

    def _verify_and_warm_up(self) -> None:
        """Score the golden rows, then batches of usual sizes, so that buffers exist."""
        features, expected = self._golden()
        found = self.score(features, self.manifest.schema_id)
        tolerance = self.manifest.golden_tolerance
        if not np.allclose(found, expected, rtol=0.0, atol=tolerance, equal_nan=True):
            worst = float(np.nanmax(np.abs(found - expected)))
            raise ArtifactRefused(
                f"{self.folder.name}: golden rows are off by {worst:.2g}, allowed {tolerance:.2g}"
            )
        for n in _WARM_UP_ROWS:
            rows = np.resize(features, (n, features.shape[1]))
            self.row_seconds = _best_s(self._runtime.raw, rows) / n

    def _golden(self) -> tuple[Float32, Float64]:
        if GOLDEN_FILE not in self.manifest.files:
            raise ArtifactRefused(f"{self.folder.name}: no {GOLDEN_FILE}")
        with np.load(self.folder / GOLDEN_FILE, allow_pickle=False) as golden:
            features = np.ascontiguousarray(golden["features"], dtype=np.float32)
            expected = np.asarray(golden["scores"], dtype=np.float64)
        if features.shape != (len(expected), self.manifest.n_features) or not len(expected):
            raise ArtifactRefused(f"{self.folder.name}: golden rows have the wrong shape")
        return features, expected


def _feature_distribution(folder: Path, manifest: Manifest) -> ReferenceDistribution | None:
    """How features were spread in training, None if the artifact does not have it."""
    if REFERENCE_FILE not in manifest.files:
        return None
    try:
        found = ReferenceDistributions.from_bytes((folder / REFERENCE_FILE).read_bytes()).features
    except ValueError as error:
        raise ArtifactRefused(f"{folder.name}: {REFERENCE_FILE}: {error}") from error
    if len(found.names) != manifest.n_features:
        raise ArtifactRefused(f"{folder.name}: {REFERENCE_FILE} has another width")
    return found


def _best_s(work: Callable[[Float32], Float64], rows: Float32) -> float:
    """The seconds of the fastest of a few calls: a busy machine slows single calls down several
    times, and the first call allocates buffers."""

    def timed_s() -> float:
        began_s = time.perf_counter()
        work(rows)
        return time.perf_counter() - began_s

    return min(timed_s() for _ in range(_WARM_UP_TIMES))
