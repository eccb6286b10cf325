"""The artifact of a variant: a folder that training writes and serving reads.

    <root>/<variant>/<version>/
        manifest.json     describes the model, with the SHA-256 of every other file
        model.onnx        the scoring graph: float32[n, n_features] -> float32[n] raw scores
        trees.npz         XGBoost only: for contributions, see models/trees.py
        model.ubj         XGBoost only: the model in XGBoost's own format
        linear.npz        a linear model only: for contributions, see models/linear.py
        golden.npz        features float32[k, n_features], scores float64[k]: must reproduce
        reference.npz     how features and scores were spread, see models/drift.py
    <root>/<variant>/aliases/<alias>.json      {"version", "digest"}, see models/store/alias.py

How training and serving score an artifact:

    onnx      run `model.onnx`: input `features` float32[n, n_features], NaN where unknown; output
              `score` float32[n], the raw probability of fraud, or for an anomaly model how unusual
              the row is, in (0, 1]. Imputation, scaling, one-hot codes and the direction of a
              missing value are all inside the graph.

The score is then `np.interp(raw, x of calibration, y of calibration)`. `golden.npz` is read with
`allow_pickle=False`; its `scores` are calibrated and must reproduce to within `golden_tolerance`: a
steep calibration enlarges the last bits, in which two machines may differ.

The digest of an artifact is the SHA-256 of its manifest.json; `version` is its first 12 hex digits.
No pickle, no joblib: loading an artifact never executes code from it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraud.errors import ArtifactRefused

MANIFEST = "manifest.json"
REFERENCE_FAMILY = "reference"
"""The family of an artifact that is no model: a profile of training data, see references/files.py.
It has no runtime, no calibration and no golden rows; nothing serves it."""
REFERENCE_PREFIX = "reference-"
"""Of the names under which references lie in the store, beside the variants."""

TREES_FILE, LINEAR_FILE, BOOSTER_FILE = "trees.npz", "linear.npz", "model.ubj"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of an artifact.

    Attributes:
        variant: name of the variant, e.g. `xgboost`.
        family: `supervised`, `anomaly` or, for what is no model, `REFERENCE_FAMILY`.
        runtime: `onnx`; "" for a reference.
        schema_id: feature schema the model was trained on.
        n_features: width of the feature matrix.
        calibration: knots `(raw score, probability)`, rising in x, never falling in y.
        files: name -> SHA-256 hex of every file but the manifest.
        metrics: out-of-time figures, name -> value.
        training: data window, row counts, seed, library versions.
        golden_tolerance: largest absolute difference allowed when golden rows are scored again.
        columns: names of the n_features columns of a tabular data set, in order; () for the
            features of `features.definitions`.
    """

    variant: str
    family: str
    runtime: str
    schema_id: str
    n_features: int
    calibration: tuple[tuple[float, float], ...]
    files: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    golden_tolerance: float = 1e-5
    columns: tuple[str, ...] = ()

    @property
    def tenant(self) -> str | None:
        """The tenant whose payments the model learnt from; None if the training is not stated."""
        tenant = self.training.get("tenant")
        return None if tenant is None else str(tenant)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write `manifest.json` (sorted keys, so that equal manifests are equal bytes).

    Returns:
        The artifact's digest.
    """
    body = json.dumps(asdict(manifest), sort_keys=True, indent=1).encode() + b"\n"
    (folder / MANIFEST).write_bytes(body)
    return hashlib.sha256(body).hexdigest()


def parse_manifest(name: str, body: bytes) -> Manifest:
    """Read the text of a `manifest.json`.

    Args:
        name: of the artifact, for error texts.

    Raises:
        ArtifactRefused: it is not a manifest.
    """
    try:
        document = json.loads(body)
        document["calibration"] = tuple((float(x), float(y)) for x, y in document["calibration"])
        document["columns"] = tuple(document.get("columns", ()))
        return Manifest(**document)
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactRefused(f"{name}: no readable manifest") from error


def read_manifest(folder: Path, digest: str | None = None) -> tuple[Manifest, str]:
    """Read and verify an artifact: its own digest if given, and every file it names.

    Returns:
        The manifest and the artifact's digest.

    Raises:
        ArtifactRefused: a file is missing, its name is a path, or its digest differs.
    """
    try:
        body = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ArtifactRefused(f"{folder.name}: no readable manifest") from error
    manifest = parse_manifest(folder.name, body)
    actual = hashlib.sha256(body).hexdigest()
    if digest is not None and actual != digest:
        raise ArtifactRefused(f"{folder.name}: manifest is {actual[:12]}, not {digest[:12]}")
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise ArtifactRefused(f"{folder.name}: {name!r} is not a plain file name")
        try:
            found = sha256_of(folder / name)
        except OSError as error:
            raise ArtifactRefused(f"{folder.name}: {name} is missing") from error
        if found != expected:
            raise ArtifactRefused(f"{folder.name}: {name} does not match its digest")
    return manifest, actual


def version_of(digest: str) -> str:
    """Short name of an artifact: the first 12 hex digits of its digest."""
    return digest[:12]
