"""The summary of a finished job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bulk.jobs.options import JobOptions
from bulk.scoring.combining import levels
from bulk.scoring.combining.levels import Int8
from bulk.scoring.combining.recalibration import Recalibration
from bulk.scoring.plan import PlannedModel, ScoringPlan
from bulk.scoring.summary.drift import drift_table
from fraud.payment.batch import Float32, Float64, Int64

BINS = 40
QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)


def score_summary(probability: Float32) -> dict[str, Any]:
    """Quantiles and a histogram of probabilities, JSON-ready.

    Returns:
        quantiles: pairs of share and probability; edges: 41 numbers from 0 to 1; counts: rows of
        each of the 40 bins; mean: None without rows.
    """
    known = probability[~np.isnan(probability)]
    counts, edges = np.histogram(known, bins=BINS, range=(0.0, 1.0))
    found = np.quantile(known, QUANTILES).tolist() if known.size else []
    return {
        "quantiles": [[q, round(v, 6)] for q, v in zip(QUANTILES, found, strict=False)],
        "edges": [round(edge, 6) for edge in edges.tolist()],
        "counts": counts.tolist(),
        "mean": round(float(known.mean(dtype=np.float64)), 6) if known.size else None,
    }


def level_counts(level: Int8) -> dict[str, int]:
    """Rows of each level, and `unscored` ones."""
    found = {name: int((level == i).sum()) for i, name in reversed(list(enumerate(levels.NAMES)))}
    return {**found, "unscored": int((level == levels.UNKNOWN).sum())}


def model_table(
    plan: ScoringPlan, scores: Mapping[str, Float32], overlap: Float64
) -> list[dict[str, Any]]:
    """What each model said, the best match first, JSON-ready.

    Each has reference, weight, similarity, domain_auc, training_rate, metrics, rows (that it
    scored), mean (of its probabilities) and agreement: reference -> share of its
    riskiest rows that this model finds riskiest, too.
    """
    names = [model.reference for model in plan.models]
    return [
        {
            **_told(model, scores[model.reference]),
            "agreement": {
                other: round(float(overlap[i, j]), 4)
                for j, other in enumerate(names)
                if j != i and not np.isnan(overlap[i, j])
            },
        }
        for i, model in enumerate(plan.models)
    ]


def drifted_columns(plan: ScoringPlan, counts: Mapping[str, Int64]) -> list[dict[str, Any]]:
    """The drift of each matched column of each model: see `drift_table`."""
    return [
        one
        for model in plan.models
        if model.reference in counts
        for one in drift_table(model, counts[model.reference])
    ]


def rate_summary(found: Recalibration) -> dict[str, Any]:
    """The estimated share of fraud in the file: estimate, low and high (95 %), method."""
    return {
        "estimate": _rounded(found.share),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "method": found.method,
    }


def short_answer(
    plan: ScoringPlan,
    options: JobOptions,
    probability: Float32,
    counts: Mapping[str, int],
    recalibrated: Recalibration,
) -> dict[str, Any]:
    """The fields of a short answer: stats, methods_used, best_model, similarity_score."""
    known = ~np.isnan(probability)
    frauds = int((probability[known] >= np.float32(options.high)).sum())
    scored = int(known.sum())
    best = plan.models[0]
    methods = ["supervised-ensemble" if len(plan.models) > 1 else "supervised", "isolation-forest"]
    if recalibrated.code == "done":
        methods.append("label-shift")
    return {
        "stats": {
            "total": len(probability),
            "scored": scored,
            "frauds": frauds,
            "fraud_rate": round(frauds / scored, 6) if scored else None,
            "high_risk": counts["high"],
            "medium_risk": counts["medium"],
            "low_risk": counts["low"],
        },
        "methods_used": methods,
        "best_model": best.reference,
        "similarity_score": round(best.similarity, 4),
    }


def _told(model: PlannedModel, score: Float32) -> dict[str, Any]:
    known = score[~np.isnan(score)]
    return {
        "reference": model.reference,
        "kind": model.kind,
        "weight": round(model.weight, 4),
        "similarity": round(model.similarity, 4),
        "domain_auc": None if model.domain_auc is None else round(model.domain_auc, 4),
        "training_rate": model.label_rate,
        "metrics": {name: _rounded(value) for name, value in model.metrics.items()},
        "rows": int(known.size),
        "mean": round(float(known.mean(dtype=np.float64)), 6) if known.size else None,
    }


def _rounded(value: float) -> float | None:
    return round(value, 7) if np.isfinite(value) else None
