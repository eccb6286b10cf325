"""An isolation forest as a treelite checkpoint that takes raw features, NaN included."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import treelite
import treelite.sklearn
from numpy.typing import NDArray

from fraud.batch import Float32


def checkpoint_bytes(forest: Any, median: Float32) -> bytes:
    """Turn a forest fitted on signed logs of median-imputed features into a checkpoint for raw
    features.

    Both steps move into the trees exactly: the signed log is monotone, so each threshold is put
    through its inverse; and at each node NaN takes the direction that the median takes.

    Args:
        forest: fitted scikit-learn IsolationForest.
        median: float32[n_features], raw scale, no NaN.
    """
    model = treelite.sklearn.import_model(forest)
    for number in range(model.num_tree):
        tree = model.get_tree_accessor(number)
        inner = tree.get_field("cleft") >= 0
        threshold = _exp_signed(tree.get_field("threshold"))
        feature = tree.get_field("split_index")
        default_left = np.zeros_like(tree.get_field("default_left"))
        default_left[inner] = median[feature[inner]] <= threshold[inner]
        tree.set_field("threshold", np.where(inner, threshold, 0.0))
        tree.set_field("default_left", default_left)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tl"
        model.serialize(path)
        return path.read_bytes()


def expected_path_length(checkpoint: bytes) -> float:
    """The path length c that scores are measured against: 2 ** (-mean path length / c)."""
    header = load_checkpoint(checkpoint).get_header_accessor()
    return float(header.get_field("ratio_c")[0])


def load_checkpoint(checkpoint: bytes) -> treelite.Model:
    """The model in a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tl"
        path.write_bytes(checkpoint)
        return treelite.Model.deserialize(str(path))


def _exp_signed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(x) * np.expm1(np.abs(x))
