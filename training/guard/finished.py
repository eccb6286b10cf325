"""The finished models: what is too good to be true, whatever no single column told.

Two columns may tell together what neither does alone, and a leak may hide in what no round reads.
A model that finds nearly all fraud on later payments, and is right about nearly all it flags, has
most likely been told.
"""

from __future__ import annotations

import numpy as np

from fraud.payment.batch import Float64
from training.finding import Finding
from training.fit.evaluated import ENSEMBLE
from training.fit.trained import Trained
from training.metrics.ranking import Ranking, average_precision, recall_at_fpr, roc_auc

LEAST_FRAUDS = 20
"""On a test part with fewer, a model may be lucky."""
REFUSED_AP, REFUSED_RECALL, REFUSED_AT = 0.985, 0.985, 0.001
"""Average precision, and share of frauds found while 0.1 % of the others are flagged: a model with
both is refused."""
WARNED = 0.97
"""Of both."""
_SHOWN = 3
_ROWS = 4_000
_WORTH = 0.03


def inspect_models(trained: Trained, seed: int) -> list[Finding]:
    """Look at the plan and at each variant on the test part."""
    test = trained.judgement.evaluated.test
    fraud = test.fraud.astype(np.float64)
    if not LEAST_FRAUDS <= fraud.sum() < fraud.size:
        return []
    supervised = {
        name: score
        for name, score in test.scores.items()
        if name in trained.judgement.evaluated.probabilities
    }
    judged = {name: _merit(score, fraud) for name, score in supervised.items()}
    best = max(judged, key=lambda name: (judged[name], name == ENSEMBLE))
    precision, recall, auc = judged[best]
    refused = precision >= REFUSED_AP and recall >= REFUSED_RECALL
    if not refused and min(precision, recall) < WARNED:
        return []
    columns = _columns_behind(trained, supervised[best], seed)
    said = (
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
            f"{said}{behind}: that is too good to be true{tail}",
            column=columns[0] if len(columns) == 1 else "",
            columns=tuple(columns),
        )
    ]


def _merit(score: Float64, fraud: Float64) -> tuple[float, float, float]:
    steps = Ranking(score, fraud).steps()
    return average_precision(steps), recall_at_fpr(steps, REFUSED_AT), roc_auc(steps)


def _columns_behind(trained: Trained, score: Float64, seed: int) -> list[str]:
    """The columns that a model goes by: those that rank payments as it does, and are needed to.

    One after the other: which column of a shallow tree ensemble, fitted to say what the model says,
    it cannot do without.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    test = trained.judgement.evaluated.test
    rng = np.random.default_rng(seed)
    fraud = np.flatnonzero(test.fraud > 0)
    other = np.flatnonzero(test.fraud == 0)
    kept = np.concatenate(
        [rng.choice(part, min(part.size, _ROWS), replace=False) for part in (fraud, other)]
    )
    values = np.asarray(trained.dataset.values[test.rows[kept]], np.float64)
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
    return [trained.dataset.schema.names[i] for i in order.tolist() if worth[i] >= _WORTH]
