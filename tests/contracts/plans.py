"""Plans' documents, and policies over votes that a test knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fraud.asking import Asking, VariantCall
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member, Settled, Thresholds
from fraud.payment.batch import TransactionBatch
from fraud.policy.interface import Policy
from fraud.policy.recorded import answered

THRESHOLDS = Thresholds(0.2, 0.5, 0.9)


def leaf(*variants: str, thresholds: Thresholds = THRESHOLDS) -> Ensemble:
    """An ensemble of equal members without calibration."""
    return Ensemble(tuple(Member(name, 1.0) for name in variants), thresholds)


LEAF: dict[str, Any] = {
    "kind": "single",
    "members": [{"variant": "xgboost", "weight": 1.0}],
    "thresholds": {"challenge": 0.1, "review": 0.5, "block": 0.9, "anomaly_challenge": None},
    "anomaly": None,
    "deadline_ms": 100,
    "calibration": [],
    "combiner": "mean",
    "intercept": 0.0,
}
OTHER: dict[str, Any] = LEAF | {
    "members": [{"variant": "acme/logistic@0123456789ab", "weight": 1.0}]
}
TREE: dict[str, Any] = {
    "name": "tree",
    "version": 2,
    "plans": {
        "base": LEAF,
        "also": {
            "kind": "ab",
            "salt": "s",
            "arms": [
                {"name": "a", "weight": 70.0, "slots": [[0, 7000]], "plan": "base"},
                {"name": "b", "weight": 30.0, "slots": [[7000, 10000]], "plan": OTHER},
            ],
        },
    },
    "kind": "segments",
    "segments": [
        {"name": "eur", "when": {"currency": ["EUR"], "amount": {"from": 10.0}}, "plan": "also"},
        {
            "name": "web",
            "when": {"channel": ["online"]},
            "plan": "base",
            "thresholds": {
                "challenge": 0.2,
                "review": 0.6,
                "block": 0.8,
                "anomaly_challenge": None,
            },
        },
        {
            "name": "slow",
            "when": {"type": ["transfer"]},
            "plan": {
                "kind": "cascade",
                "stages": [
                    {"plan": LEAF, "settle_below": 0.01, "settle_from": 0.9},
                    {"plan": OTHER},
                ],
            },
        },
    ],
    "default": {
        "kind": "shadow",
        "plan": {
            "kind": "canary",
            "salt": "",
            "baseline": "base",
            "canary": OTHER,
            "steps": [1.0, 100.0],
            "step": None,
            "advance": {"on": "promote"},
            "guard": {
                "max_error_rate": 0.1,
                "max_p95_ms": None,
                "block_rate": [0.0, 0.2],
                "min_decisions": 100,
                "window_minutes": 10.0,
            },
        },
        "shadows": [
            {
                "name": "dark",
                "share": 50.0,
                "plan": LEAF | {"members": [{"variant": "dark", "weight": 1.0}]},
            }
        ],
    },
    "costs": {
        "review": 5.0,
        "false_block": 20.0,
        "missed_share": 1.0,
        "challenge": None,
        "challenge_stops": 0.8,
    },
}
"""The document of a plan with policies of every kind."""


class Asked:
    """A policy, run over a micro-batch.

    Args:
        scores: variant -> score of each row; a variant without them is missing.

    Attributes:
        calls: (variant, rows) of every call, in order.
        groups: arm -> its rows.
        settled: what the policy returned.
    """

    def __init__(
        self, policy: Policy, batch: TransactionBatch, scores: Mapping[str, Sequence[float]]
    ) -> None:
        self.calls: list[tuple[str, list[int]]] = []
        self.asking = Asking(batch)

        def answer(call: VariantCall) -> Vote:
            rows = np.arange(len(batch)) if call.rows is None else call.rows
            self.calls.append((call.variant, rows.tolist()))
            if call.variant not in scores:
                return Vote(call.variant, "", "missing", None, 0.0)
            return Vote(call.variant, "v", "ok", np.array(scores[call.variant])[rows], 1.0)

        self.settled: list[Settled] = answered(policy, self.asking, answer)
        self.groups = {
            group.arm: list(range(len(batch))) if group.rows is None else group.rows.tolist()
            for group in self.settled
        }
        everywhere = sorted(row for rows in self.groups.values() for row in rows)
        assert everywhere == list(range(len(batch))), "each row is decided once"
