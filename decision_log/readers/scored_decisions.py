"""Decisions on record with their features, scores and labels, to measure drift on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from fraud.payment.batch import Float32, Float64, Int64
from fraud.variant import base_variant
from models.drift import ReferenceDistribution
from stores.statements import statement

ENSEMBLE = "ensemble"
"""Name of the plan's probability, beside the variants' scores."""

ROWS_PER_PART = 128
"""Work on one part takes some two milliseconds, while decisions wait."""

_BUCKETS = 65_536
"""Hash values of payments in `scored_sample.sql`."""


class _Vote(msgspec.Struct):
    variant: str
    status: str
    score: float | None = None


_votes = msgspec.json.Decoder(list[_Vote]).decode


@dataclass(frozen=True, slots=True)
class ScoredDecisions:
    """n decisions.

    Attributes:
        decided_ms: int64[n], when each was made.
        values: float32[n, n_features], features; NaN where `has_features` is False.
        has_features: bool[n], whether features of the expected schema are on record.
        scores: model -> float64[n], calibrated scores of variants and, under `ENSEMBLE`, the
            probability; NaN where the model gave no score.
        fraud: float64[n], 1 for fraud and 0 for genuine, NaN without a label.
        known_ms: int64[n], when the label was known, -1 without a label.
    """

    decided_ms: Int64
    values: Float32
    has_features: np.ndarray[Any, np.dtype[np.bool_]]
    scores: dict[str, Float64]
    fraud: Float64
    known_ms: Int64

    def __len__(self) -> int:
        return int(self.decided_ms.size)

    @classmethod
    def of(
        cls, rows: Sequence[Mapping[str, Any]], schema_id: str, n_features: int
    ) -> ScoredDecisions:
        """Return the decisions in rows of any of the statements `scored_*.sql`."""
        n = len(rows)
        values = np.full((n, n_features), np.nan, np.float32)
        size = 4 * n_features
        known = np.array(
            [r["schema_id"] == schema_id and len(r["features"]) == size for r in rows], np.bool_
        )
        body = b"".join(r["features"] for r, good in zip(rows, known, strict=True) if good)
        values[known] = np.frombuffer(body, "<f4").reshape(int(known.sum()), n_features)
        scores: dict[str, Float64] = {ENSEMBLE: np.array([r["probability"] for r in rows], float)}
        for i, row in enumerate(rows):
            for vote in _votes(row["votes"]):
                if vote.status == "ok" and vote.score is not None:
                    column = scores.setdefault(vote.variant, np.full(n, np.nan))
                    column[i] = vote.score
        labels = [(r["is_fraud"], r["known_ms"]) for r in rows]
        return cls(
            np.array([r["decided_ms"] for r in rows], np.int64),
            values,
            known,
            scores,
            np.array([np.nan if fraud is None else float(fraud) for fraud, _ in labels]),
            np.array([-1 if known_ms is None else known_ms for _, known_ms in labels], np.int64),
        )

    @classmethod
    def concat(cls, parts: Sequence[ScoredDecisions], n_features: int) -> ScoredDecisions:
        """Return all rows of `parts`, in order."""
        parts = parts or [cls.of([], "", n_features)]
        names = sorted({name for part in parts for name in part.scores})
        return cls(
            np.concatenate([p.decided_ms for p in parts]),
            np.concatenate([p.values for p in parts]),
            np.concatenate([p.has_features for p in parts]),
            {
                name: np.concatenate([p.scores.get(name, np.full(len(p), np.nan)) for p in parts])
                for name in names
            },
            np.concatenate([p.fraud for p in parts]),
            np.concatenate([p.known_ms for p in parts]),
        )

    def of_plan(self, shown: Mapping[str, str]) -> ScoredDecisions:
        """Return the same decisions with the scores of a plan's own models alone. A probability
        without a vote of any of them is another plan's, or the rules': it is left out.

        Args:
            shown: see `shown_names`.
        """
        scores = {name: self.scores[vote] for vote, name in shown.items() if vote in self.scores}
        voted = np.zeros(len(self), np.bool_)
        for score in scores.values():
            voted |= ~np.isnan(score)
        probability = np.where(voted, self.scores[ENSEMBLE], np.nan)
        return replace(self, scores={ENSEMBLE: probability, **scores})

    def score_counts(self, reference: ReferenceDistribution) -> Int64:
        """Return `ReferenceDistribution.count` of the models' scores, int64[models, bins]. Rows
        without a score of a model are not counted for it."""
        none = np.full(len(self), np.nan)
        scores = [self.scores.get(name, none) for name in reference.names]
        counts = reference.count(np.stack(scores, axis=1))
        counts[:, -1] = 0
        return counts


def shown_names(votes: Iterable[str]) -> dict[str, str]:
    """Return the name of each model of a plan in measurements, which is what training calls it: the
    variant. A second model of a variant keeps its name in the plan; the house's gets `/xgboost`.

    >>> shown_names(["mine/xgboost", "mine/xgboost@2fd6da9b13f3"])
    {'mine/xgboost': 'xgboost', 'mine/xgboost@2fd6da9b13f3': 'mine/xgboost@2fd6da9b13f3'}
    """
    shown: dict[str, str] = {}
    for vote in votes:
        variant = base_variant(vote)
        taken = variant in shown.values()
        shown[vote] = variant if not taken else f"/{vote}" if vote == variant else vote
    return shown


async def sample(
    connection: Any, tenant: str, since: datetime, limit: int
) -> tuple[int, AsyncIterator[list[Any]]]:
    """Return the number of decisions since a time, and rows of about `limit` of them: of all, or of
    a sample by payment. Needs a transaction."""
    total = await connection.fetchval(
        statement("decision_log/readers/sql/scored_count.sql"), tenant, since
    )
    buckets = min(_BUCKETS, round(_BUCKETS * limit / max(total, 1)))
    return total, _parts(connection, "scored_sample", tenant, since, max(buckets, 1))


def newest(connection: Any, tenant: str, limit: int, since: datetime) -> AsyncIterator[list[Any]]:
    """Return the rows of the newest `limit` decisions since a time. Needs a transaction."""
    return _parts(connection, "scored_newest", tenant, limit, since)


def labelled(connection: Any, tenant: str, limit: int, since: datetime) -> AsyncIterator[list[Any]]:
    """Return the rows of the decisions since a time that have the newest `limit` labels. Needs a
    transaction."""
    return _parts(connection, "scored_labelled", tenant, limit, since)


async def _parts(connection: Any, name: str, *arguments: Any) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(statement(f"decision_log/readers/sql/{name}.sql"), *arguments)
    while rows := await cursor.fetch(ROWS_PER_PART):
        yield list(rows)
