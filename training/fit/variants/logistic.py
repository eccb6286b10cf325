"""Logistic regression, fitted with scikit-learn: the baseline, which also votes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ray import tune
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from fraud.payment.batch import Float32
from models.artifact import LINEAR_FILE
from models.linear import Columns, LinearContributions
from training.config import LogisticConfig
from training.export.fitted import Fitted
from training.export.linear import fit_columns, linear_graph
from training.fit.variants.rung import EFFORTS, Rung, part
from training.sets.sample import Sample, thin

NAME = "logistic"
_ROWS_AT_A_TIME = 8_192
SPACE = {
    "inverse_penalty": tune.loguniform(0.003, 1),
    "scaling": tune.choice(["log", "robust"]),
    "steps": tune.choice([True, False]),
    "squares": tune.choice([False, True]),
    "fraud_weight": tune.choice([1.0, 5.0]),
}
"""The parameters to search."""


def fit(sample: Sample, config: LogisticConfig, seed: int) -> Fitted:
    """Fit and export."""
    columns, model = train_logistic(sample, config, seed)
    return fitted_of(
        columns, model, sample.x_train.shape[1], config, seed, _column_means(columns, sample)
    )


def _column_means(columns: Columns, sample: Sample) -> Float32:
    """The means of the columns over training rows: float32[width], computed in chunks."""
    x, weight = sample.x_train, sample.weight_train
    parts = range(0, len(x), _ROWS_AT_A_TIME)
    sums = [
        weight[at : at + _ROWS_AT_A_TIME] @ columns.transform(x[at : at + _ROWS_AT_A_TIME])
        for at in parts
    ]
    means: Float32 = (np.sum(sums, axis=0) / weight.sum()).astype(np.float32)
    return means


def train_logistic(
    sample: Sample, config: LogisticConfig, seed: int
) -> tuple[Columns, LogisticRegression]:
    """Choose columns and fit; the seed only draws rows, as the solver is deterministic."""
    rows, stands_for = thin(sample.y_train > 0, config.max_rows, seed)
    x, fraud = sample.x_train[rows], sample.y_train[rows]
    columns = fit_columns(
        x,
        sample.categorical,
        robust=config.scaling == "robust",
        steps=config.steps,
        squares=config.squares,
    )
    model = LogisticRegression(
        C=config.inverse_penalty, max_iter=config.max_iterations, tol=1e-4, solver="lbfgs"
    )
    weight = sample.weight_train[rows] * stands_for
    # One thread: the order of additions, and so the last bits, must not depend on the machine.
    with threadpool_limits(1):
        model.fit(
            columns.transform(x),
            fraud.astype(np.int8),
            sample_weight=np.where(fraud > 0, weight * config.fraud_weight, weight),
        )
    return columns, model


def rungs(sample: Sample, config: LogisticConfig, seed: int) -> Iterator[Rung]:
    """The rungs of a trial: more and more rows, fitted anew each time."""
    for effort in EFFORTS:
        most = min(config.max_rows, sample.y_train.size)
        fewer = config.model_copy(update={"max_rows": part(most, effort)})
        columns, model = train_logistic(sample, fewer, seed)
        scores = model.decision_function(columns.transform(sample.x_validation))
        yield Rung(effort, scores.astype(np.float64), fewer.max_rows)


def fitted_of(
    columns: Columns,
    model: LogisticRegression,
    n_features: int,
    config: LogisticConfig,
    seed: int,
    usual: Float32 | None = None,
) -> Fitted:
    """Export a model; with the means of its columns also a file for feature contributions."""
    coefficients = model.coef_.ravel().astype(np.float32)
    graph = linear_graph(columns, coefficients, float(model.intercept_[0]), n_features)
    files = {"model.onnx": graph}
    if usual is not None:
        added = LinearContributions(columns, coefficients, usual, n_features)
        files[LINEAR_FILE] = added.to_bytes()
    return Fitted(
        variant=NAME,
        family="supervised",
        runtime="onnx",
        files=files,
        parameters={**config.model_dump(), "seed": seed, "columns": int(model.coef_.size)},
        imbalance=_imbalance(config),
    )


def _imbalance(config: LogisticConfig) -> str:
    if config.fraud_weight == 1:
        return (
            "no reweighting: the likelihood of the data, thinned rows weighted up;"
            " thresholds follow review rates"
        )
    return f"fraud rows weigh {config.fraud_weight:g} times as much; calibration corrects for it"
