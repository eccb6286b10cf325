"""Writing artifact folders: all of a folder appears at once, and its alias after it."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fraud.artifact import Manifest, read_manifest, sha256_of, version_of, write_manifest
from fraud.batch import Float32, Float64
from training.calibrate import Knots, rounding_reach
from training.schema import FeatureSchema
from training.variants.fitted import Fitted

ALIAS = "champion"


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """A folder beside the artifacts, on the same disk, gone when the block ends."""
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=root) as folder:
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
) -> str:
    """Write one artifact into `folder`, which is made, and read it back.

    Args:
        golden: features float32[k, n_features], their raw scores and calibrated scores.

    Returns:
        The artifact's digest; equal models, data and figures give equal digests.
    """
    features, raw, scores = golden
    folder.mkdir(parents=True)
    files = {**fitted.files, "golden.npz": _golden_bytes(features, scores)}
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
            runtime_options=fitted.runtime_options,
            columns=schema.columns,
        ),
    )
    read_manifest(folder, digest)
    return digest


def place(staged: Path, root: Path, variant: str, digest: str) -> Path:
    """Move a staged artifact to `<root>/<variant>/<version>`; one that is there and whole stays.

    Returns:
        The folder.
    """
    target = root / variant / version_of(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        try:
            read_manifest(target, digest)
            return target
        except Exception:  # whatever it is, it is not this artifact
            shutil.rmtree(target)
    _flush(staged)
    os.replace(staged, target)
    return target


def point_alias(root: Path, variant: str, digest: str, alias: str = ALIAS) -> None:
    """Let an alias name an artifact, in one step."""
    folder = root / variant / "aliases"
    folder.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"version": version_of(digest), "digest": digest}) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, suffix=".tmp") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    os.replace(file.name, folder / f"{alias}.json")


def _flush(folder: Path) -> None:
    """Get files onto the disk before a name leads to them."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _golden_bytes(features: Float32, scores: Float64) -> bytes:
    body = io.BytesIO()
    np.savez(body, features=features, scores=scores)
    return body.getvalue()
