"""Records of decisions that nobody asked for."""

from __future__ import annotations

import numpy as np

from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.payment.batch import FeatureBatch
from loadtests.recorded import PLAN, recorded
from tests.contracts.payments import payments

SCORES = (0.1, 0.65, 0.95)


def test_scores_are_decided_by_the_plan() -> None:
    batch = payments(3, 1, duplicate=0.0)
    values = np.arange(3 * N_FEATURES, dtype=np.float32).reshape(3, N_FEATURES)
    features = FeatureBatch(values, SCHEMA_ID, np.array([5, 6, 7]))
    supervised = [np.array(SCORES)] * 3
    made = recorded(
        *(PLAN, batch, features, [*supervised, np.zeros(3)], 1_790_000_000_000),
        stage_ms={"log": 1.5},
        explained_by="digest",
    )
    assert [record.transaction.transaction_id for record in made] == batch.transaction_id
    assert [record.outcome for record in made] == ["approve", "challenge", "block"]
    assert [len(record.reasons) for record in made] == [0, 3, 3]
    assert [vote.variant for vote in made.decisions.votes] == list(PLAN.variants)
    assert len(set(made.decisions.decision_id)) == 3
    assert made.decisions.feature_age_ms == [5, 6, 7]
    assert made.decisions.explained_by == "digest"
    assert made.features == values.tobytes()
