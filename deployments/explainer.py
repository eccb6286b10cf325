"""Reasons for every decision that is not `approve`. Knows no Ray."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from fraud.batch import FeatureBatch, Float32, Float64, TransactionBatch
from fraud.combine.combine import Combined
from fraud.combine.reasons import TOP, top_reasons
from fraud.combine.rules import Verdict, judge
from fraud.decision import Reason, Vote
from fraud.plan import Plan

logger = logging.getLogger(__name__)

EXPLAINER = "xgboost"
"""The variant whose contributions stand for the ensemble's: exact, and cheap on trees."""

ANOMALY = Reason("ANOMALY", None, "the payment is unlike what is usually seen", 0.0)
MODEL_SCORE = Reason(
    "MODEL_SCORE", None, "the models together see a probability above the plan's threshold", 0.0
)
_BASE_MS = 50.0
_ROW_MS = 3.0

Explain = Callable[[Float32, str], Awaitable[Float64]]


class Explainer:
    """Finds reasons.

    Args:
        find: how to ask a variant for contributions, None if it has no pool.
        names: n_features feature names.
        texts: n_features pairs `(code, sentence)`.
    """

    def __init__(
        self,
        find: Callable[[str], Explain | None],
        names: Sequence[str],
        texts: Sequence[tuple[str, str]],
    ) -> None:
        self._find = find
        self._names = names
        self._texts = texts

    def rules(self, plan: Plan, batch: TransactionBatch, features: FeatureBatch) -> Verdict:
        """What the rules say of every row."""
        return judge(plan.thresholds, batch, features.values, self._names)

    async def reasons(
        self,
        plan: Plan,
        batch: TransactionBatch,
        features: FeatureBatch,
        combined: Combined,
        votes: Sequence[Vote],
        verdict: Verdict | None,
    ) -> list[tuple[Reason, ...]]:
        """Reasons of n rows, strongest first: () for `approve`, at least one for all others.

        Contributions are asked for the rows that need them alone. When they do not come in time
        the rules that fire speak, and failing those the bare fact of score or anomaly.

        Args:
            plan: what decided.
            batch, features, combined, votes: n rows each.
            verdict: the rules' if they were asked already.
        """
        found: list[tuple[Reason, ...]] = [()] * len(batch)
        rows = combined.outcome.nonzero()[0]
        if not rows.size:
            return found
        pushes = await self._pushes(features, rows, votes)
        if verdict is None and not all(pushes):
            verdict = self.rules(plan, batch, features)
        for k, i in enumerate(rows.tolist()):
            strongest = pushes[k] or (() if verdict is None else verdict.reasons[i])
            strange = self._is_strange(plan, combined, i)
            if strange or not strongest:
                strongest = ((ANOMALY if strange else MODEL_SCORE), *strongest)
            found[i] = strongest[:TOP]
        return found

    async def _pushes(
        self,
        features: FeatureBatch,
        rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
        votes: Sequence[Vote],
    ) -> list[tuple[Reason, ...]]:
        """Reasons from contributions for `rows`; all () if they cannot be had."""
        nothing: list[tuple[Reason, ...]] = [()] * len(rows)
        explain = self._find(EXPLAINER)
        voted = any(v.variant == EXPLAINER and v.status == "ok" for v in votes)
        if explain is None or not voted:
            return nothing
        try:
            async with asyncio.timeout((_BASE_MS + _ROW_MS * len(rows)) / 1e3):
                contributions = await explain(features.values[rows], features.schema_id)
            if contributions.shape != (len(rows), len(self._names)):
                raise ValueError("contributions of the wrong shape")
        except Exception as error:  # whatever the pool does, the decision stands
            logger.warning("no contributions for %d rows: %s", len(rows), type(error).__name__)
            return nothing
        return top_reasons(contributions, self._names, self._texts)

    @staticmethod
    def _is_strange(plan: Plan, combined: Combined, i: int) -> bool:
        """Whether the anomaly score alone would have challenged row i."""
        threshold = plan.thresholds.anomaly_challenge
        return threshold is not None and bool(combined.anomaly[i] >= threshold)
