"""Decisions on record as columns: payments, features, votes, outcomes and labels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.degraded import TRANSACTION_REUSED
from fraud.decision import OUTCOMES
from fraud.payment.batch import TRANSACTION_COLUMNS, Float32, Float64, Int64, TransactionBatch
from fraud.payment.transaction import Transaction
from stores.statements import statement

ROWS_PER_PART = 2048
"""Bounds the memory for one part: a row takes some kilobytes."""

_OUTCOME = {outcome.value: i for i, outcome in enumerate(OUTCOMES)}
_columns = attrgetter(*TRANSACTION_COLUMNS)


class _Vote(msgspec.Struct, gc=False):
    variant: str
    version: str
    status: str
    score: float | None = None


class _Record(msgspec.Struct, gc=False):
    """What is read of a record; the rest is skipped."""

    transaction: Transaction
    votes: list[_Vote]
    arm: str = ""


_record = msgspec.json.Decoder(_Record).decode


@dataclass(frozen=True, slots=True)
class RecordedVotes:
    """The votes of one version of one variant on some of n rows.

    Attributes:
        variant, version, status: see `fraud.decision.Vote`.
        rows: intp[k], rising: the rows.
        scores: float64[k]; NaN where the variant gave no number.
    """

    variant: str
    version: str
    status: str
    rows: NDArray[np.intp]
    scores: Float64


@dataclass(frozen=True, slots=True)
class RecordedDecisions:
    """n decisions of one tenant.

    Attributes:
        decision_id: n ids.
        decided_ms: int64[n], when each was made.
        batch: the payments, without metadata.
        plan: name and version of the plan that made each.
        arm: see `DecisionBatch.arm`.
        outcome: int8[n], indices into `OUTCOMES`.
        probability: float64[n].
        schema_id: schema of each decision's features.
        features: of each, float32 little-endian in the order of its schema.
        votes: what variants answered, each row at most once in those of one variant.
        fraud: float64[n], 1 for fraud and 0 for genuine, NaN without a label.
        known_ms: int64[n], when the label was known, -1 without a label.
    """

    decision_id: list[str]
    decided_ms: Int64
    batch: TransactionBatch
    plan: list[tuple[str, int]]
    arm: list[str]
    outcome: NDArray[np.int8]
    probability: Float64
    schema_id: list[str]
    features: list[bytes]
    votes: list[RecordedVotes]
    fraud: Float64
    known_ms: Int64

    def __len__(self) -> int:
        return len(self.decision_id)

    def values_of(self, rows: NDArray[np.intp], schema_id: str) -> tuple[NDArray[np.intp], Float32]:
        """Return those of some rows that have features of a schema, and their features, float32[m,
        n_features]; n_features 0 if there is none."""
        known = [i for i in rows.tolist() if self.schema_id[i] == schema_id]
        body = b"".join([self.features[i] for i in known])
        values = np.frombuffer(body, "<f4").reshape(len(known), -1 if known else 0)
        return np.array(known, np.intp), values.astype(np.float32, copy=False)

    @classmethod
    def of(cls, tenant: str, rows: Sequence[Mapping[str, Any]]) -> RecordedDecisions:
        """Return the decisions in n >= 1 rows of `recorded_newest.sql`.

        Raises:
            msgspec.DecodeError: a record has another form.
        """
        found = [_record(row["record"]) for row in rows]
        payments = zip(*(_columns(record.transaction) for record in found), strict=True)
        labels = [(row["is_fraud"], row["known_ms"]) for row in rows]
        return cls(
            decision_id=[row["decision_id"] for row in rows],
            decided_ms=np.array([row["decided_ms"] for row in rows], np.int64),
            batch=TransactionBatch([tenant] * len(rows), *map(list, payments)),
            plan=[(row["plan"], row["plan_version"]) for row in rows],
            arm=[record.arm for record in found],
            outcome=np.array([_OUTCOME[row["outcome"]] for row in rows], np.int8),
            probability=np.array([row["probability"] for row in rows], np.float64),
            schema_id=[row["schema_id"] for row in rows],
            features=[row["features"] for row in rows],
            votes=_votes(found),
            fraud=np.array([np.nan if fraud is None else float(fraud) for fraud, _ in labels]),
            known_ms=np.array([-1 if ms is None else ms for _, ms in labels], np.int64),
        )


async def newest_decisions(
    connection: Any, tenant: str, limit: int, now: datetime
) -> AsyncIterator[RecordedDecisions]:
    """Read the newest `limit` decisions of a tenant in parts, newest first, with the labels that
    hold at `now`.

    Args:
        connection: a connection of asyncpg in a transaction.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    cursor = await connection.cursor(
        statement("decision_log/readers/sql/recorded_newest.sql"),
        tenant,
        limit,
        now,
        TRANSACTION_REUSED,
    )
    while rows := await cursor.fetch(ROWS_PER_PART):
        yield RecordedDecisions.of(tenant, rows)


def _votes(records: Sequence[_Record]) -> list[RecordedVotes]:
    gathered: dict[tuple[str, str, str], tuple[list[int], list[float]]] = {}
    for i, record in enumerate(records):
        for vote in record.votes:
            key = vote.variant, vote.version, vote.status
            held = gathered.get(key)
            if held is None:
                held = gathered[key] = [], []
            held[0].append(i)
            held[1].append(np.nan if vote.score is None else vote.score)
    return [
        RecordedVotes(*key, np.array(rows, np.intp), np.array(scores, np.float64))
        for key, (rows, scores) in gathered.items()
    ]
