"""The models of the active plan, in this process, and the decisions made from their scores."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

import numpy as np

from features.definitions import NAMES, SCHEMA_ID
from features.reason_columns import reason_writer
from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Vote
from fraud.explanation import Explanation
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch, Float64, TransactionBatch
from fraud.plan import Plan
from fraud.reasons.selection import ReasonSelection
from models.scoring.scorer import Scorer
from models.store.location import store_of
from settings.settings import Settings

ALIAS = "champion"
EXPLAINER = "xgboost"
_WRITER = reason_writer(NAMES)


def load(settings: Settings, variant: str) -> Scorer:
    """Load the champion of a variant."""
    store = store_of(settings)
    reference = store.resolve(variant, ALIAS)
    folder = store.fetch(variant, reference.version, reference.digest)
    return Scorer.load(folder, reference.digest, SCHEMA_ID)


def load_all(settings: Settings, plan: Plan) -> dict[str, Scorer]:
    """Load the champions of all variants of a plan."""
    return {variant: load(settings, variant) for variant in plan.variants}


def decide(
    plan: Plan,
    batch: TransactionBatch,
    features: FeatureBatch,
    scorers: Mapping[str, Scorer],
) -> DecisionBatch:
    """Score with every model, combine by the plan, and explain what is not approved."""
    scores = {
        variant: scorer.score(features.values, features.schema_id)
        for variant, scorer in scorers.items()
    }
    versions = {variant: (s.version, s.digest) for variant, s in scorers.items()}
    decided = combined(plan, batch, features, scores, versions)
    rows = np.flatnonzero(np.array(decided.outcome))
    if rows.size:
        explainer = scorers[EXPLAINER]
        found = Explanation.bare("", np.zeros((rows.size, features.values.shape[1])))
        if explainer.explains:
            found = explainer.explain(features.values[rows], features.schema_id)
        explain(plan, batch, features, decided, rows.tolist(), found)
    return decided


def combined(
    plan: Plan,
    batch: TransactionBatch,
    features: FeatureBatch,
    scores: Mapping[str, Float64],
    versions: Mapping[str, tuple[str, str]],
) -> DecisionBatch:
    """Return decisions without reasons.

    Args:
        scores: variant -> float64[n], for each variant of the plan.
        versions: variant -> version and digest of its artifact.
    """
    votes = tuple(
        Vote(variant, versions[variant][0], "ok", scores[variant], 0.0, versions[variant][1])
        for variant in plan.variants
    )
    found = combine(plan.ensemble, votes, len(batch))
    now_ms = time.time_ns() // 1_000_000
    return DecisionBatch(
        decision_id=decision_ids(len(batch), now_ms, os.urandom),
        transaction_id=batch.transaction_id,
        outcome=found.outcome.tolist(),
        probability=found.probability.tolist(),
        risk_score=risk_scores(plan.ensemble.thresholds, found.probability, found.outcome),
        anomaly_score=found.anomaly.tolist(),
        reasons=[()] * len(batch),
        votes=votes,
        plan=plan.name,
        plan_version=plan.version,
        degraded=[a + b for a, b in zip(features.degraded, found.degraded, strict=True)],
        feature_age_ms=features.age_ms.tolist(),
        decided_at_ms=now_ms,
    )


def explain(
    plan: Plan,
    batch: TransactionBatch,
    features: FeatureBatch,
    decided: DecisionBatch,
    rows: list[int],
    found: Explanation,
) -> None:
    """Add reasons to the decisions of `rows`, from their contributions in `found`."""
    selection = ReasonSelection(
        plan.ensemble.thresholds,
        np.array(decided.probability),
        np.array(decided.anomaly_score),
        np.array(decided.outcome, dtype=np.int8),
    )
    reasons = _WRITER.strongest(batch, rows, features.values[rows], found)
    decided.reasons[:] = selection.reasons(dict(zip(rows, reasons, strict=True)), None)
    decided.explained_by = found.digest
