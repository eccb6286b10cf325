"""Decisions on record as drift is measured on them: what models saw, said, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from fraud.payment.batch import Float32, Float64, Int64
from models.drift import ReferenceDistribution
from stores.statements import statement

ENSEMBLE = "ensemble"
"""The plan's probability, beside the variants' scores."""

ROWS_PER_PART = 128
"""Small enough that a part is worked on in some two milliseconds: decisions wait meanwhile."""

_SAMPLED = 65_536


class _Vote(msgspec.Struct):
    variant: str
    status: str
    score: float | None = None


_votes = msgspec.json.Decoder(list[_Vote]).decode


@dataclass(frozen=True, slots=True)
class Decided:
    """n decisions.

    Attributes:
        decided_ms: int64[n], when each was made.
        values: float32[n, n_features]; of decisions without features, or of another schema, NaN.
        seen: bool[n], whether it had features of the schema.
        scores: model -> float64[n], calibrated scores of variants and, under `ENSEMBLE`, the
            probability; NaN where the model said nothing.
        fraud: float64[n], 1 fraud and 0 not, NaN where there is no label.
        known_ms: int64[n], when the label was known, -1 without.
    """

    decided_ms: Int64
    values: Float32
    seen: np.ndarray[Any, np.dtype[np.bool_]]
    scores: dict[str, Float64]
    fraud: Float64
    known_ms: Int64

    def __len__(self) -> int:
        return int(self.decided_ms.size)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], schema_id: str, n_features: int) -> Decided:
        """Rows of any of the statements `observed_*.sql`."""
        n = len(rows)
        values = np.full((n, n_features), np.nan, np.float32)
        size = 4 * n_features
        seen = np.array(
            [r["schema_id"] == schema_id and len(r["features"]) == size for r in rows], np.bool_
        )
        body = b"".join(r["features"] for r, good in zip(rows, seen, strict=True) if good)
        values[seen] = np.frombuffer(body, "<f4").reshape(int(seen.sum()), n_features)
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
            seen,
            scores,
            np.array([np.nan if fraud is None else float(fraud) for fraud, _ in labels]),
            np.array([-1 if known is None else known for _, known in labels], np.int64),
        )

    def score_counts(self, reference: ReferenceDistribution) -> Int64:
        """`ReferenceDistribution.count` of the models' scores, int64[models, bins]; rows without a
        vote of a model are not counted for it."""
        silent = np.full(len(self), np.nan)
        scores = [self.scores.get(name, silent) for name in reference.names]
        counts = reference.count(np.stack(scores, axis=1))
        counts[:, -1] = 0
        return counts


def joined(parts: Sequence[Decided], n_features: int) -> Decided:
    """All rows of `parts`, in order."""
    parts = parts or [Decided.of([], "", n_features)]
    names = sorted({name for part in parts for name in part.scores})
    return Decided(
        np.concatenate([p.decided_ms for p in parts]),
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.seen for p in parts]),
        {
            name: np.concatenate([p.scores.get(name, np.full(len(p), np.nan)) for p in parts])
            for name in names
        },
        np.concatenate([p.fraud for p in parts]),
        np.concatenate([p.known_ms for p in parts]),
    )


async def in_window(
    connection: Any, tenant: str, since: datetime, limit: int
) -> tuple[int, AsyncIterator[list[Any]]]:
    """How many decisions there are since a moment, and rows of about `limit` of them: of all, or of
    a sample by payment. Needs a transaction."""
    total = await connection.fetchval(
        statement("decision_log/readers/sql/observed_count.sql"), tenant, since
    )
    kept = min(_SAMPLED, round(_SAMPLED * limit / max(total, 1)))
    return total, _parts(connection, "observed_window", tenant, since, max(kept, 1))


def newest(connection: Any, tenant: str, limit: int, since: datetime) -> AsyncIterator[list[Any]]:
    """Rows of the newest `limit` decisions since a moment. Needs a transaction."""
    return _parts(connection, "observed_newest", tenant, limit, since)


def labelled(connection: Any, tenant: str, limit: int, since: datetime) -> AsyncIterator[list[Any]]:
    """Rows of the decisions since a moment whose labels are the newest. Needs a transaction."""
    return _parts(connection, "observed_labelled", tenant, limit, since)


async def _parts(connection: Any, name: str, *arguments: Any) -> AsyncIterator[list[Any]]:
    cursor = await connection.cursor(statement(f"decision_log/readers/sql/{name}.sql"), *arguments)
    while rows := await cursor.fetch(ROWS_PER_PART):
        yield list(rows)
