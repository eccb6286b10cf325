"""Reasons for every decision that is not `approve`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from features.definitions import RULE_SET
from fraud.combine.combine import RULES_ONLY, Combined
from fraud.decision import Reason, Vote
from fraud.ensemble import Ensemble
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.reasons.selection import ReasonSelection
from fraud.reasons.writer import ReasonWriter
from fraud.rules.rule_set import FiredRules
from fraud.variant import base_variant

logger = logging.getLogger(__name__)

EXPLAINERS = ("xgboost", "logistic")
"""Variants that compute contributions exactly and cheaply. The first one that votes in an ensemble
is asked."""

_BASE_MS = 50.0
_ROW_MS = 3.0

Explain = Callable[[Float32, str], Awaitable[Explanation]]
"""`(values float32[m, n_features], schema_id) -> explanation of m rows`."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Reasons of n rows, and the digest of the artifact that they come from, "" if from none."""

    reasons: list[tuple[Reason, ...]]
    explained_by: str


class Explainer:
    """Finds the reasons of a micro-batch.

    Args:
        find: returns the call that asks a variant for contributions, None if it has no pool.
        writer: puts contributions into words.
    """

    def __init__(self, find: Callable[[str], Explain | None], writer: ReasonWriter) -> None:
        self._find = find
        self._writer = writer

    def rules(
        self, ensemble: Ensemble, batch: TransactionBatch, features: FeatureBatch
    ) -> FiredRules:
        """Apply the rules to every row and return those that fire."""
        return RULE_SET.apply(ensemble.thresholds, batch, features.values)

    async def reasons(
        self,
        ensemble: Ensemble,
        batch: TransactionBatch,
        features: FeatureBatch,
        combined: Combined,
        votes: Sequence[Vote],
        fired: FiredRules | None,
    ) -> Explained:
        """Return the reasons of n rows, strongest first: () for `approve`, at least one for others.

        Contributions are asked for only for rows whose probability, from models, led to their
        outcome. When contributions do not arrive in time, the rules that fire are the reasons; if
        none fires, the bare score or anomaly score is.

        Args:
            ensemble: decided.
            batch, features, combined, votes: n rows each.
            fired: the rules, if they were applied already.
        """
        if not combined.outcome.any():
            return Explained([()] * len(batch), "")
        selection = ReasonSelection(
            ensemble.thresholds, combined.probability, combined.anomaly, combined.outcome
        )
        by_score = selection.rows_by_score
        rows = [i for i in by_score if RULES_ONLY not in combined.degraded[i]]
        explanation = await self._ask(ensemble, features, rows, votes) if rows else None
        contributions: dict[int, tuple[Reason, ...]] = {}
        if explanation is not None:
            found = self._writer.strongest(batch, rows, features.values[rows], explanation)
            contributions = dict(zip(rows, found, strict=True))
        if fired is None and not all(contributions.get(i) for i in by_score):
            fired = self.rules(ensemble, batch, features)
        reasons = selection.reasons(contributions, None if fired is None else fired.reasons)
        return Explained(reasons, "" if explanation is None else explanation.digest)

    async def _ask(
        self, ensemble: Ensemble, features: FeatureBatch, rows: list[int], votes: Sequence[Vote]
    ) -> Explanation | None:
        """Ask the ensemble's explainer about `rows`. Return None if it has none, or if that did not
        vote or does not answer in time."""
        able = ((kind, name) for kind in EXPLAINERS for name in ensemble.voters)
        name = next((name for kind, name in able if base_variant(name) == kind), None)
        if name is None or not any(v.variant == name and v.status == "ok" for v in votes):
            return None
        explain = self._find(name)
        if explain is None:
            return None
        try:
            async with asyncio.timeout((_BASE_MS + _ROW_MS * len(rows)) / 1e3):
                explanation = await explain(features.values[rows], features.schema_id)
            if not explanation.fits(len(rows), len(self._writer.names)):
                raise ValueError("contributions of the wrong shape")
        except Exception as error:  # whatever the pool does, the decision stands
            logger.warning("no contributions for %d rows: %s", len(rows), type(error).__name__)
            return None
        return explanation
