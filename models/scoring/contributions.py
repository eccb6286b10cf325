"""The readers of an artifact's contributions, one for each kind of file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from fraud.errors import ArtifactRefused
from fraud.payment.batch import Float32, Float64
from models.artifact import BOOSTER_FILE, LINEAR_FILE, TREES_FILE, Manifest
from models.linear import LinearContributions
from models.trees import TreeContributions

Contributions = Callable[[Float32], Float64]
"""float32[m, n_features] -> float64[m, n_features], log-odds that each feature adds."""


class BoosterContributions:
    """Contributions by XGBoost itself, for artifacts older than `trees.npz`: about five times as
    slow, and `import xgboost` takes 100 MB. Safe from several threads for boosted trees.

    Args:
        body: the model, as UBJ. Its digest must have been verified: XGBoost ends the process on
            some files that are cut off.
        n_features: number of columns it must take.

    Raises:
        ValueError: it takes another number of columns, or gives no such contributions.
    """

    def __init__(self, body: bytes, n_features: int) -> None:
        import xgboost

        self._matrix = xgboost.DMatrix
        self._booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(body))
        width = self._booster.num_features()
        if width != n_features:
            raise ValueError(f"a model of {width} features, not of {n_features}")
        if self(np.zeros((1, width), np.float32)).shape != (1, width):
            raise ValueError("contributions have another shape")

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], NaN where unknown -> float64[m, n_features]."""
        if not len(values):
            return np.zeros((0, self._booster.num_features()))
        rows = self._matrix(values, nthread=1)
        added = self._booster.predict(rows, pred_contribs=True, validate_features=False)
        return added[:, :-1].astype(np.float64)


_READERS: Final[dict[str, Callable[[bytes, int], Contributions]]] = {
    TREES_FILE: TreeContributions.from_bytes,
    LINEAR_FILE: LinearContributions.from_bytes,
    BOOSTER_FILE: BoosterContributions,
}
"""File of an artifact -> its reader. The first file that an artifact has is read."""


def contributions_file(manifest: Manifest) -> str | None:
    """The name of the file that contributions are read from, None if the artifact has none."""
    return next((name for name in _READERS if name in manifest.files), None)


def load_contributions(folder: Path, manifest: Manifest) -> Contributions:
    """Load the contributions of a verified artifact.

    Raises:
        ArtifactRefused: it has no file for them, or an unreadable one.
    """
    name = contributions_file(manifest)
    if name is None:
        raise ArtifactRefused(f"{folder.name}: none of {', '.join(_READERS)}")
    try:
        return _READERS[name]((folder / name).read_bytes(), manifest.n_features)
    except Exception as error:  # NumPy and XGBoost raise errors of many types on unreadable files
        raise ArtifactRefused(f"{folder.name}: {name} is unreadable: {error}") from error
