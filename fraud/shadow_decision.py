"""What a shadow would have decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fraud.decision import Vote


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """What a shadow would have decided on one payment.

    Attributes:
        tenant: whose payment it is.
        decision_id: of the decision that was made.
        decided_at_ms: when that was, milliseconds since the epoch.
        plan, plan_version: the plan that has the shadow.
        shadow: its name in the plan.
        outcome: index into `fraud.decision.OUTCOMES`.
        probability: calibrated probability of fraud in [0, 1].
        votes: variant, version and score of each vote, JSON-ready.
        elapsed_ms: how long the shadow's micro-batch took.
    """

    tenant: str
    decision_id: str
    decided_at_ms: int
    plan: str
    plan_version: int
    shadow: str
    outcome: int
    probability: float
    votes: list[dict[str, Any]]
    elapsed_ms: float


def shadow_votes(votes: Sequence[Vote], i: int) -> list[dict[str, Any]]:
    """Return the votes on row i, JSON-ready; `score` is None where a variant gave none."""
    return [
        {
            "variant": vote.variant,
            "version": vote.version,
            "digest": vote.digest,
            "status": vote.status,
            "score": None
            if vote.scores is None or vote.scores[i] != vote.scores[i]
            else float(vote.scores[i]),
        }
        for vote in votes
    ]
