"""Reasons for every decision that is not `approve`. Knows no Ray."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fraud.combine.combine import RULES_ONLY, Combined
from fraud.decision import Reason, Vote
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.plan import Plan
from fraud.reasons.causes import Causes
from fraud.reasons.explain import Teller
from fraud.rules import Verdict, judge

logger = logging.getLogger(__name__)

EXPLAINERS = ("xgboost", "logistic")
"""Variants that say what each feature added, exactly and cheaply. The first of them that a plan has
stands for the plan."""

_BASE_MS = 50.0
_ROW_MS = 3.0

Explain = Callable[[Float32, str], Awaitable[Explanation]]


@dataclass(frozen=True, slots=True)
class Explained:
    """Reasons of n rows, and the digest of the artifact that they come from, "" if from none."""

    reasons: list[tuple[Reason, ...]]
    explained_by: str


class Explainer:
    """Finds reasons.

    Args:
        find: how to ask a variant for contributions, None if it has no pool.
        teller: words what it says.
    """

    def __init__(self, find: Callable[[str], Explain | None], teller: Teller) -> None:
        self._find = find
        self._teller = teller

    def rules(self, plan: Plan, batch: TransactionBatch, features: FeatureBatch) -> Verdict:
        """What the rules say of every row."""
        return judge(plan.thresholds, batch, features.values, self._teller.names)

    async def reasons(
        self,
        plan: Plan,
        batch: TransactionBatch,
        features: FeatureBatch,
        combined: Combined,
        votes: Sequence[Vote],
        verdict: Verdict | None,
    ) -> Explained:
        """Reasons of n rows, strongest first: () for `approve`, at least one for all others.

        Contributions are asked for the rows alone that a probability of models led to their
        outcome. When they do not come in time the rules that fire speak, and failing those the
        bare fact of score or anomaly.

        Args:
            plan: what decided.
            batch, features, combined, votes: n rows each.
            verdict: the rules' if they were asked already.
        """
        if not combined.outcome.any():
            return Explained([()] * len(batch), "")
        causes = Causes(plan.thresholds, combined.probability, combined.anomaly, combined.outcome)
        rows = [i for i in causes.by_score if RULES_ONLY not in combined.degraded[i]]
        explanation = await self._ask(plan, features, rows, votes) if rows else None
        pushes: dict[int, tuple[Reason, ...]] = {}
        if explanation is not None:
            told = self._teller.strongest(batch, rows, features.values[rows], explanation)
            pushes = dict(zip(rows, told, strict=True))
        if verdict is None and not all(pushes.get(i) for i in causes.by_score):
            verdict = self.rules(plan, batch, features)
        found = causes.reasons(pushes, None if verdict is None else verdict.reasons)
        return Explained(found, "" if explanation is None else explanation.digest)

    async def _ask(
        self, plan: Plan, features: FeatureBatch, rows: list[int], votes: Sequence[Vote]
    ) -> Explanation | None:
        """What the plan's explainer says of `rows`; None if there is none, it did not vote, or
        does not answer in time."""
        members = {member.variant for member in plan.members}
        name = next((name for name in EXPLAINERS if name in members), None)
        if name is None or not any(v.variant == name and v.status == "ok" for v in votes):
            return None
        explain = self._find(name)
        if explain is None:
            return None
        try:
            async with asyncio.timeout((_BASE_MS + _ROW_MS * len(rows)) / 1e3):
                explanation = await explain(features.values[rows], features.schema_id)
            if not explanation.fits(len(rows), len(self._teller.names)):
                raise ValueError("contributions of the wrong shape")
        except Exception as error:  # whatever the pool does, the decision stands
            logger.warning("no contributions for %d rows: %s", len(rows), type(error).__name__)
            return None
        return explanation
