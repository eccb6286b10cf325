"""Logistic regression, fitted by scikit-learn: the baseline that votes too."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from training.config import LogisticConfig
from training.export.linear import Columns, fit_columns, linear_graph
from training.sample import Sample
from training.variants.fitted import Fitted

NAME = "logistic"


def fit(sample: Sample, config: LogisticConfig, seed: int) -> Fitted:
    """Fit and export."""
    columns, model = train_logistic(sample, config)
    return fitted_of(columns, model, sample.x_train.shape[1], config, seed)


def train_logistic(sample: Sample, config: LogisticConfig) -> tuple[Columns, LogisticRegression]:
    """Choose columns and fit; the solver is deterministic and needs no seed."""
    columns = fit_columns(sample.x_train, sample.categorical)
    model = LogisticRegression(
        C=config.inverse_penalty, max_iter=config.max_iterations, tol=1e-4, solver="lbfgs"
    )
    # One thread: the order of additions, and so the last bits, must not depend on the machine.
    with threadpool_limits(1):
        model.fit(
            columns.transform(sample.x_train),
            sample.y_train.astype(np.int8),
            sample_weight=sample.weight_train,
        )
    return columns, model


def fitted_of(
    columns: Columns,
    model: LogisticRegression,
    n_features: int,
    config: LogisticConfig,
    seed: int,
) -> Fitted:
    """Files of a model."""
    graph = linear_graph(
        columns, model.coef_.ravel().astype(np.float32), float(model.intercept_[0]), n_features
    )
    return Fitted(
        variant=NAME,
        family="supervised",
        runtime="onnx",
        files={"model.onnx": graph},
        parameters={**config.model_dump(), "seed": seed, "columns": int(model.coef_.size)},
        imbalance="no reweighting: the likelihood of the data as it is, thresholds follow review"
        " rates",
    )
