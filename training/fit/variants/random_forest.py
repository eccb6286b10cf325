"""Random forest, fitted by scikit-learn: bagged or extremely randomised trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from ray import tune
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from fraud.payment.batch import Float32
from training.config import FraudWeight, RandomForestConfig
from training.export.fitted import Fitted
from training.export.trees import bagged_graph, forest_of_sklearn
from training.fit.variants.rung import EFFORTS, Rung, part
from training.sets.sample import Sample, thin

NAME = "random-forest"
SPACE = {
    "splits": tune.choice(["best", "random"]),
    "max_leaves": tune.choice([128, 256, 512]),
    "min_samples_leaf": tune.lograndint(2, 40),
    "max_features": tune.choice(["sqrt", 0.1, 0.2, 0.3]),
    "fraud_weight": tune.choice(["none", "sqrt", "balanced"]),
}
"""The parameters to search. The number of trees is left out, since it determines latency."""

_Forest: TypeAlias = RandomForestClassifier | ExtraTreesClassifier
_WEIGHING = {
    "none": "frauds have the weight of other rows",
    "sqrt": "fraud rows weigh sqrt(genuine / fraud) times as much, so that they shape splits"
    " without dominating them; calibration corrects for it",
    "balanced": "fraud rows weigh as much as all others; calibration corrects for it",
}


def fit(sample: Sample, config: RandomForestConfig, seed: int) -> Fitted:
    """Fit and export."""
    return fitted_of(train_forest(sample, config, seed), config, seed)


def train_forest(sample: Sample, config: RandomForestConfig, seed: int) -> _Forest:
    """Fit; each split learns the side of missing values."""
    return _forest(config, seed).fit(*_rows(sample, config, seed))


def rungs(sample: Sample, config: RandomForestConfig, seed: int) -> Iterator[Rung]:
    """The rungs of a trial: more and more trees, each added to the earlier ones."""
    forest = _forest(config, seed).set_params(warm_start=True)
    x, fraud, weight = _rows(sample, config, seed)
    for effort in EFFORTS:
        forest.set_params(n_estimators=part(config.trees, effort)).fit(x, fraud, weight)
        yield Rung(
            effort, forest.predict_proba(sample.x_validation.copy())[:, 1], forest.n_estimators
        )


def _forest(config: RandomForestConfig, seed: int) -> _Forest:
    family = RandomForestClassifier if config.splits == "best" else ExtraTreesClassifier
    return family(
        n_estimators=config.trees,
        max_leaf_nodes=config.max_leaves,
        min_samples_leaf=config.min_samples_leaf,
        max_features=config.max_features,
        random_state=seed,
        n_jobs=1,
    )


def _rows(
    sample: Sample, config: RandomForestConfig, seed: int
) -> tuple[Float32, Float32, Float32]:
    """Features, labels and weights to fit on."""
    # Indexing also makes a copy: rows in the object store are read-only, and scikit-learn's check
    # of a matrix with NaN needs a writable buffer.
    rows, stands_for = thin(sample.y_train > 0, config.max_rows, seed)
    fraud = sample.y_train[rows]
    weight = row_weight(fraud, sample.weight_train[rows] * stands_for, config.fraud_weight)
    return sample.x_train[rows], fraud, weight


def row_weight(fraud: Float32, weight: Float32, fraud_weight: FraudWeight) -> Float32:
    """`weight` with that of frauds raised: float32[n]."""
    ratio = np.float32(weight[fraud == 0].sum() / weight[fraud > 0].sum())
    factor = {"none": np.float32(1), "sqrt": np.sqrt(ratio), "balanced": ratio}[fraud_weight]
    return np.where(fraud > 0, weight * factor, weight)


def fitted_of(forest: _Forest, config: RandomForestConfig, seed: int) -> Fitted:
    """Export a forest."""
    graph = bagged_graph(forest_of_sklearn(forest.estimators_), forest.n_features_in_)
    return Fitted(
        variant=NAME,
        family="supervised",
        runtime="onnx",
        files={"model.onnx": graph},
        parameters={**config.model_dump(), "seed": seed},
        imbalance="all frauds, and genuine rows thinned and weighted up; "
        + _WEIGHING[config.fraud_weight],
    )
