"""Writing artifact folders for the store."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fraud.payment.batch import Float32, Float64
from models.artifact import Manifest, read_manifest, sha256_of, write_manifest
from models.drift import REFERENCE_FILE, ReferenceDistributions
from training.export.fitted import Fitted
from training.fit.calibrate import Knots, rounding_reach
from training.sets.schema import FeatureSchema


@contextmanager
def staging() -> Iterator[Path]:
    """A temporary folder for the block."""
    with tempfile.TemporaryDirectory(prefix="quorum-staging-") as folder:
        yield Path(folder)


def write_artifact(
    folder: Path,
    fitted: Fitted,
    *,
    schema: FeatureSchema,
    knots: Knots,
    golden: tuple[Float32, Float64, Float64],
    metrics: dict[str, float],
    training: dict[str, Any],
    reference: ReferenceDistributions | None = None,
) -> str:
    """Write one artifact into a new folder, and read it back.

    Args:
        golden: features float32[k, n_features], their raw scores and calibrated scores.
        reference: the distributions of the run's features and scores, for drift.

    Returns:
        The artifact's digest; equal models, data and figures give equal digests.
    """
    features, raw, scores = golden
    folder.mkdir(parents=True)
    files = {**fitted.files, "golden.npz": _golden_bytes(features, scores)}
    if reference is not None:
        files[REFERENCE_FILE] = reference.to_bytes()
    for name, body in files.items():
        (folder / name).write_bytes(body)
    digest = write_manifest(
        folder,
        Manifest(
            variant=fitted.variant,
            family=fitted.family,
            runtime=fitted.runtime,
            schema_id=schema.schema_id,
            n_features=features.shape[1],
            calibration=knots,
            files={name: sha256_of(folder / name) for name in sorted(files)},
            metrics=metrics,
            training=training,
            golden_tolerance=rounding_reach(raw, knots),
            columns=schema.columns,
        ),
    )
    read_manifest(folder, digest)
    return digest


def _golden_bytes(features: Float32, scores: Float64) -> bytes:
    body = io.BytesIO()
    np.savez(body, features=features, scores=scores)
    return body.getvalue()
