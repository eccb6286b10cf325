"""How easily a classifier tells a file's rows from a reference's: a second opinion.

Two distributions are as alike as the best classifier between them is bad (Lopez-Paz and Oquab,
"Revisiting Classifier Two-Sample Tests", 2017). Each column may look alike while the rows do not:
the classifier sees columns together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score

Float64 = NDArray[np.float64]

_LEAST_ROWS = 50
_ROWS = 800
_FOLDS = 2
_TREES = 25


def domain_auc(file: Float64, sketch: Float64, seed: int) -> float | None:
    """Return the cross-validated ROC-AUC of a small forest, in [0.5, 1]; None if there are too few
    rows or columns.

    Args:
        file, sketch: float64[n, k] and float64[m, k]: the same k columns, NaN where unknown.
        seed: of the sample, the folds and the forest.
    """
    if min(len(file), len(sketch)) < _LEAST_ROWS or file.shape[1] == 0:
        return None
    rng = np.random.default_rng(seed)
    parts = [x[rng.permutation(len(x))[:_ROWS]] for x in (file, sketch)]
    x = np.vstack(parts).astype(np.float32)
    y = np.repeat([0, 1], [len(part) for part in parts])
    fold = rng.permutation(len(x)) % _FOLDS
    scores = np.zeros(len(x))
    for held in range(_FOLDS):
        forest = ExtraTreesClassifier(
            _TREES, max_depth=6, max_features=0.5, class_weight="balanced",
            random_state=seed, n_jobs=1,
        )  # fmt: skip
        forest.fit(x[fold != held], y[fold != held])
        scores[fold == held] = forest.predict_proba(x[fold == held])[:, 1]
    return max(float(roc_auc_score(y, scores)), 0.5)
