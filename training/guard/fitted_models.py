"""Fitted models that are too good to be true.

Two columns together may give the label away although neither does alone, and a leak may lie where
no other round looks. A model that finds nearly all fraud on later payments with hardly any false
alarm has most likely seen the label.
"""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64
from training.finding import Finding
from training.fit.fitted_run import FittedRun
from training.fit.scores import ENSEMBLE
from training.metrics.ranking import Ranking, average_precision, recall_at_fpr, roc_auc

LEAST_FRAUDS = 20
"""With fewer frauds in the test part, a model may be lucky."""
REFUSED_AP, REFUSED_RECALL, REFUSED_AT = 0.985, 0.985, 0.001
"""Average precision, and the share of frauds found while 0.1 % of the others are flagged. A model
that reaches both is refused."""
WARNED = 0.97
"""A model that reaches both at this level gets a warning."""
_SHOWN = 3
_ROWS = 4_000
_WORTH = 0.03


def inspect_models(fitted_run: FittedRun, seed: int) -> list[Finding]:
    """Inspect the plan and each variant on the test part."""
    test = fitted_run.plan_fit.scores.test
    fraud = test.fraud.astype(np.float64)
    if not LEAST_FRAUDS <= fraud.sum() < fraud.size:
        return []
    supervised = {
        name: score
        for name, score in test.scores.items()
        if name in fitted_run.plan_fit.scores.probabilities
    }
    figures = {name: _figures(score, fraud) for name, score in supervised.items()}
    best = max(figures, key=lambda name: (figures[name], name == ENSEMBLE))
    precision, recall, auc = figures[best]
    refused = precision >= REFUSED_AP and recall >= REFUSED_RECALL
    if not refused and min(precision, recall) < WARNED:
        return []
    columns = _columns_behind(fitted_run, supervised[best], seed)
    measured = (
        f"{best} finds {recall:.1%} of {int(fraud.sum()):,} frauds of the test part on"
        f" {REFUSED_AT:.1%} of the other payments (average precision {precision:.4f}, ROC-AUC"
        f" {auc:.5f})"
    )
    behind = f", by {', '.join(columns)}" if columns else ""
    tail = (
        f"; honest only if {' and '.join(columns)} {'is' if len(columns) == 1 else 'are'} known"
        " when the payment is decided"
        if columns
        else ""
    )
    return [
        Finding(
            "refuse" if refused else "warn",
            "too-good",
            f"{measured}{behind}: that is too good to be true{tail}",
            column=columns[0] if len(columns) == 1 else "",
            columns=tuple(columns),
        )
    ]


def _figures(score: Float64, fraud: Float64) -> tuple[float, float, float]:
    steps = Ranking(score, fraud).steps()
    return average_precision(steps), recall_at_fpr(steps, REFUSED_AT), roc_auc(steps)


def _columns_behind(fitted_run: FittedRun, score: Float64, seed: int) -> list[str]:
    """The columns that a model relies on.

    A shallow tree ensemble is fitted to reproduce the model's ranking; its most important columns
    are returned.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    test = fitted_run.plan_fit.scores.test
    rng = np.random.default_rng(seed)
    fraud = np.flatnonzero(test.fraud > 0)
    other = np.flatnonzero(test.fraud == 0)
    kept = np.concatenate(
        [rng.choice(part, min(part.size, _ROWS), replace=False) for part in (fraud, other)]
    )
    values = np.asarray(fitted_run.dataset.values[test.rows[kept]], np.float64)
    known = np.isfinite(values)
    filled = np.where(known, values, -1e9)
    ranks = np.argsort(np.argsort(score[kept], kind="stable"), kind="stable") / kept.size
    target = 0.5 * ranks + 0.5 * test.fraud[kept]
    forest = ExtraTreesRegressor(
        40, max_depth=6, max_features=1.0, min_samples_leaf=5, random_state=seed, n_jobs=1
    )
    forest.fit(filled, target)
    order = np.argsort(-forest.feature_importances_, kind="stable")[:_SHOWN]
    worth = forest.feature_importances_
    return [fitted_run.dataset.schema.names[i] for i in order.tolist() if worth[i] >= _WORTH]
