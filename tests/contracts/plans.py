"""Policies over votes that a test knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
