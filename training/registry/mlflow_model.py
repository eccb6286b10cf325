"""The model that `mlflow.pyfunc.load_model` returns, which gives the served scores.

MLflow imports this module by the name that an `MLmodel` file gives. It reads the artifact as
serving does: by digest, without pickle, the calibration included.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.definitions import NAMES
from fraud.errors import InvalidInput
from fraud.payment.batch import Float64
from models.artifact import Manifest, read_manifest
from training.export.fitted import Fitted
from training.export.scoring import raw_scores
from training.fit.calibrate import calibrated

if TYPE_CHECKING:
    import pandas as pd


class RegisteredModel:
    """A model from the registry.

    Args:
        manifest: of the artifact.
        graph: the bytes of its `model.onnx`.
    """

    def __init__(self, manifest: Manifest, graph: bytes) -> None:
        self.manifest = manifest
        self._fitted = Fitted(
            manifest.variant, manifest.family, manifest.runtime, {"model.onnx": graph}, {}, ""
        )

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Float64:
        """Scores as served.

        Args:
            model_input: one column for each feature, by name, in any order; NaN where unknown.
            params: required by MLflow, unused.

        Returns:
            float64[n] in [0, 1]: calibrated probabilities of fraud, or anomaly scores of an anomaly
            model.

        Raises:
            InvalidInput: a feature has no column.
        """
        names = self.manifest.columns or NAMES
        absent = [name for name in names if name not in model_input]
        if absent:
            raise InvalidInput(f"no column for {', '.join(absent[:5])}: {len(absent)} are missing")
        values = np.ascontiguousarray(model_input[list(names)].to_numpy(np.float32))
        return calibrated(raw_scores(self._fitted, values), self.manifest.calibration)


def _load_pyfunc(path: str) -> RegisteredModel:
    """Read the artifact in a folder.

    Raises:
        ArtifactRefused: a file is missing or does not match its digest.
    """
    folder = Path(path)
    manifest, _ = read_manifest(folder)
    return RegisteredModel(manifest, (folder / "model.onnx").read_bytes())
