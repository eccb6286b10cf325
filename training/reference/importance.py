"""The share of a training's models' attention that each column has."""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64
from models.artifact import BOOSTER_FILE
from training.evaluate.baselines import single_column_precision
from training.evaluate.importance import boosted_importance, draw_rows
from training.evaluate.results import RunResults

_ROWS = 1_000
MOST_ATTENTION = 0.8
"""Share of the attention that required columns have together, unless many share it."""
LEAST_REQUIRED = 0.1


def column_importance(results: RunResults) -> Float64:
    """float64[n_features], sums to 1: mean absolute contributions to XGBoost's log-odds on the test
    part; without XGBoost, how much better than chance each column alone ranks frauds.
    """
    explanation = results.evaluation.explanation
    if explanation is not None and explanation.boosted is not None:
        return _shares(explanation.boosted.contribution)
    fitted_run = results.fitted_run
    test = fitted_run.plan_fit.scores.test
    fraud = test.fraud.astype(np.float64)
    sample = draw_rows(fitted_run.dataset.values, test.rows, fraud, _ROWS, fitted_run.config.seed)
    for model in fitted_run.models.values():
        if BOOSTER_FILE in model.fitted.files:
            return _shares(
                boosted_importance(model.fitted.files[BOOSTER_FILE], sample).contribution
            )
    categorical = fitted_run.dataset.schema.categorical
    alone = single_column_precision(sample.values, sample.fraud, categorical)
    return _shares(np.nan_to_num(np.fmax(alone[:, 0], alone[:, 1]) - sample.fraud.mean()))


def required_columns(importance: dict[str, float]) -> frozenset[str]:
    """The columns without which models of a table cannot be used: of the fewest columns that have
    80 % of the attention, those with at least 10 % each. Of many equal columns none is required:
    what is missing then lowers the coverage.

    >>> sorted(required_columns({"a": 0.5, "b": 0.35, "c": 0.1, "d": 0.05}))
    ['a', 'b']
    """
    ordered = sorted(importance, key=lambda name: (-importance[name], name))
    total, found = 0.0, set()
    for name in ordered:
        if total >= MOST_ATTENTION or importance[name] < LEAST_REQUIRED:
            break
        found.add(name)
        total += importance[name]
    return frozenset(found)


def _shares(merit: Float64) -> Float64:
    positive = np.maximum(np.nan_to_num(merit), 0.0)
    total = float(positive.sum())
    if total <= 0:
        return np.full(len(positive), 1 / len(positive))
    shares: Float64 = positive / total
    return shares
