"""What each feature adds to an XGBoost model's log-odds.

Looked up in tables where the forest is small enough for them, in a seventh of the library's time
for a row and without the library in memory; asked of the library otherwise. The values are those
of TreeSHAP: S. Lundberg et al., Consistent individualized feature attribution for tree ensembles,
2018, arXiv:1802.03888.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fraud.errors import ArtifactRefused
from fraud.payment.batch import Float32, Float64
from models.scoring import ubjson
from models.scoring.shapley import ShapleyTables, Unsuitable
from models.scoring.xgboost_library import LibraryModel


class ContributionModel:
    """An XGBoost model that says how much each feature added. Safe from several threads.

    Args:
        path: the model, as UBJ.
        n_features: how many columns it must take.

    Raises:
        ArtifactRefused: it cannot be read, gives no such contributions, or takes another number of
            columns.
    """

    def __init__(self, path: Path, n_features: int) -> None:
        self._n_features = n_features
        self._ask: ShapleyTables | LibraryModel
        try:
            learner = ubjson.load(path.read_bytes())["learner"]
            width = int(learner["learner_model_param"]["num_feature"])
            self._ask = _tables(learner, width) or LibraryModel(path, width)
            # Files can be read that cannot be used: better known now than at the first payment.
            self._ask(np.zeros((1, width), np.float32))
        except ArtifactRefused:
            raise
        except Exception as error:  # whatever a file can be that is no such model
            raise ArtifactRefused(f"{path.parent.name}: {path.name} is unreadable") from error
        if width != n_features:
            raise ArtifactRefused(f"{path.parent.name}: {path.name} is of another width")

    @property
    def looked_up(self) -> bool:
        """Whether tables answer, not the library."""
        return isinstance(self._ask, ShapleyTables)

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], NaN where unknown -> float64[m, n_features]: log-odds, without
        the bias."""
        if not len(values):
            return np.zeros((0, self._n_features))
        return self._ask(np.ascontiguousarray(values, dtype=np.float32))


def _tables(learner: dict[str, Any], n_features: int) -> ShapleyTables | None:
    """A model's tables; None if it is too large for them, or of another kind."""
    booster, shape = learner["gradient_booster"], learner["learner_model_param"]
    if booster["name"] != "gbtree" or int(shape["num_class"]) > 1 or int(shape["num_target"]) > 1:
        return None
    trees = booster["model"]["trees"]
    if any(np.any(tree["split_type"]) for tree in trees):
        return None  # splits by category
    try:
        return ShapleyTables(trees, n_features)
    except Unsuitable:
        return None
