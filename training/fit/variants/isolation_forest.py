"""Isolation forest, fitted with scikit-learn: how unusual a payment is, without labels."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import IsolationForest

from fraud.payment.batch import Float32
from models.linear import signed_log
from training.config import IsolationForestConfig
from training.export.fitted import Fitted
from training.export.isolation import isolation_graph
from training.sets.sample import Sample

NAME = "isolation-forest"


def fit(sample: Sample, config: IsolationForestConfig, seed: int) -> Fitted:
    """Fit and export."""
    forest, median = train_isolation(sample, config, seed)
    return fitted_of(forest, median, config, seed)


def train_isolation(
    sample: Sample, config: IsolationForestConfig, seed: int
) -> tuple[IsolationForest, Float32]:
    """Fit on signed logs of median-imputed rows: on a linear scale, random cuts between the
    smallest and largest value carry little information about amounts of many orders of magnitude.

    Returns:
        The forest, and float32[n_features] medians on the raw scale.
    """
    seen = ~np.isnan(sample.x_train).all(axis=0)
    median = np.zeros(seen.size, np.float32)
    median[seen] = np.nanmedian(sample.x_train[:, seen], axis=0)
    # Each tree needs few rows: drawing them all once needs a fraction of the memory.
    rows = np.random.default_rng(seed).permutation(sample.y_train.size)
    rows = np.sort(rows[: config.trees * config.sample_rows])
    x = sample.x_train[rows]
    forest = IsolationForest(
        n_estimators=config.trees,
        max_samples=min(config.sample_rows, rows.size),
        random_state=seed,
        n_jobs=1,
    )
    return forest.fit(signed_log(np.where(np.isnan(x), median, x))), median


def fitted_of(
    forest: IsolationForest, median: Float32, config: IsolationForestConfig, seed: int
) -> Fitted:
    """Export a forest."""
    return Fitted(
        variant=NAME,
        family="anomaly",
        runtime="onnx",
        files={"model.onnx": isolation_graph(forest, median)},
        parameters={**config.model_dump(), "seed": seed},
        imbalance="labels are not used",
    )
