"""Entries: the payloads of frames. The records of one micro-batch, column by column."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import numpy as np

from fraud.decision import DecisionBatch, Reason, Vote
from fraud.payment.batch import TransactionBatch, columns_of
from fraud.record import PlanDocument, RecordBatch

T = TypeVar("T")

FORMAT = 4
_READ_FORMATS = (3, FORMAT)
"""Format 3 lacks the last field."""
MAX_ROWS = 256
"""Most rows of an entry: bounds the memory that a shipper needs for one."""


class _Vote(msgspec.Struct, array_like=True, gc=False):
    variant: str
    version: str
    digest: str
    status: str
    scores: bytes | None  # float64 little-endian


class _Plan(msgspec.Struct, array_like=True, gc=False):
    name: str
    version: int
    digest: str
    document: dict[str, Any]


class _Entry(msgspec.Struct, array_like=True, gc=False):
    """A RecordBatch. Raise `FORMAT` with every change."""

    format: int
    plan: msgspec.Raw  # _Plan
    schema_id: str
    code_version: str
    transactions: tuple[list[Any], ...]
    features: bytes
    votes: list[_Vote]
    decision_id: list[str]
    outcome: list[int]
    probability: list[float | None]
    risk_score: list[int]
    anomaly_score: list[float]
    reasons: dict[int, tuple[Reason, ...]]  # only of rows that have some
    degraded: dict[int, tuple[str, ...]]  # only of degraded rows
    feature_age_ms: list[int]
    decided_at_ms: int
    explained_by: str
    stage_ms: dict[str, float]
    metadata: list[str | None] | None
    stages: list[str] | None
    arm: str = ""


class _Head(msgspec.Struct, array_like=True, gc=False):
    format: int


class _Outline(msgspec.Struct, array_like=True, gc=False):
    """The beginning of an entry. Raw fields are skipped, not decoded."""

    format: int
    plan: msgspec.Raw
    schema_id: str
    code_version: str
    transactions: msgspec.Raw
    features: msgspec.Raw
    votes: msgspec.Raw
    decision_id: list[str]
    outcome: msgspec.Raw
    probability: msgspec.Raw
    risk_score: msgspec.Raw
    anomaly_score: msgspec.Raw
    reasons: msgspec.Raw
    degraded: msgspec.Raw
    feature_age_ms: msgspec.Raw
    decided_at_ms: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Entry)
_head_decoder = msgspec.msgpack.Decoder(_Head)
_outline_decoder = msgspec.msgpack.Decoder(_Outline)


def encode(records: RecordBatch) -> list[bytes]:
    """Return the payloads of `records`, in order, of at most `MAX_ROWS` rows each."""
    n = len(records)
    if n <= MAX_ROWS:
        return [_payload(records)] if n else []
    starts = range(0, n, MAX_ROWS)
    return [_payload(records.slice(start, min(start + MAX_ROWS, n))) for start in starts]


def decode(payload: bytes) -> RecordBatch:
    """Invert `encode` for one payload.

    Raises:
        ValueError: the payload is not an entry, or has another format.
    """
    try:
        head = _head_decoder.decode(payload)
        if head.format not in _READ_FORMATS:
            raise ValueError(f"entry of format {head.format}, this code reads {FORMAT}")
        return _batch(_decoder.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("not an entry of the decision log") from error


def outline(payload: bytes) -> tuple[int, int]:
    """Return the rows of a payload, and the time of their decision in milliseconds since the epoch.
    Takes a small part of the time of `decode`.

    Raises:
        ValueError: the payload is not an entry.
    """
    try:
        found = _outline_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("not an entry of the decision log") from error
    return len(found.decision_id), found.decided_at_ms


def _payload(records: RecordBatch) -> bytes:
    try:
        return _encoder.encode(_entry(records))
    except UnicodeEncodeError:
        # A lone surrogate in one row's text must not cost the whole batch its record.
        return _encoder.encode(_entry(storable(records)))


def _entry(records: RecordBatch) -> _Entry:
    d = records.decisions
    return _Entry(
        FORMAT,
        _packed_plan(records.plan),
        records.schema_id,
        records.code_version,
        columns_of(records.transactions),
        records.features,
        [_vote(vote) for vote in d.votes],
        d.decision_id,
        d.outcome,
        d.probability,  # type: ignore[arg-type]
        d.risk_score,
        d.anomaly_score,
        _sparse(d.reasons),
        _sparse(d.degraded),
        d.feature_age_ms,
        d.decided_at_ms,
        d.explained_by,
        d.stage_ms,
        records.transactions.metadata,
        records.transactions.stages,
        d.arm,
    )


def _vote(vote: Vote) -> _Vote:
    scores = None if vote.scores is None else vote.scores.astype("<f8", copy=False).tobytes()
    return _Vote(vote.variant, vote.version, vote.digest, vote.status, scores)


def _batch(entry: _Entry) -> RecordBatch:
    plan = _read_plan(bytes(entry.plan))
    transactions = TransactionBatch(*entry.transactions)
    transactions.metadata, transactions.stages = entry.metadata, entry.stages
    n = len(transactions)
    decisions = DecisionBatch(
        entry.decision_id,
        transactions.transaction_id,
        entry.outcome,
        entry.probability,  # type: ignore[arg-type]
        entry.risk_score,
        entry.anomaly_score,
        _dense(entry.reasons, n),
        tuple(map(_read_vote, entry.votes)),
        plan.name,
        plan.version,
        _dense(entry.degraded, n),
        entry.feature_age_ms,
        entry.decided_at_ms,
        entry.explained_by,
        entry.stage_ms,
        entry.arm,
    )
    return RecordBatch(
        transactions, entry.schema_id, entry.features, decisions, plan, entry.code_version
    )


def _sparse(column: list[tuple[T, ...]]) -> dict[int, tuple[T, ...]]:
    """Return the rows that are not empty."""
    return {i: value for i, value in enumerate(column) if value} if any(column) else {}


def _dense(values: dict[int, tuple[T, ...]], n: int) -> list[tuple[T, ...]]:
    """Invert `_sparse`."""
    return [values.get(i, ()) for i in range(n)] if values else [()] * n


def _read_vote(vote: _Vote) -> Vote:
    scores = None if vote.scores is None else np.frombuffer(vote.scores, "<f8")
    return Vote(vote.variant, vote.version, vote.status, scores, 0.0, vote.digest)


# A plan decides for weeks: keep the last ones in both forms.
@lru_cache(maxsize=64)
def _packed_plan(plan: PlanDocument) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(_Plan(plan.name, plan.version, plan.digest, plan.document)))


@lru_cache(maxsize=64)
def _read_plan(plan: bytes) -> PlanDocument:
    found = msgspec.msgpack.decode(plan, type=_Plan)
    return PlanDocument(found.name, found.version, found.digest, found.document)


def storable(records: RecordBatch) -> RecordBatch:
    """Return the records with U+FFFD for every character that PostgreSQL cannot hold (NUL,
    surrogates)."""
    held = (list(map(_storable, column)) for column in columns_of(records.transactions))
    # Metadata were checked on arrival, and stages are our own.
    kept = records.transactions
    transactions = TransactionBatch(*held)
    transactions.metadata, transactions.stages = kept.metadata, kept.stages
    ids = transactions.transaction_id
    return replace(
        records,
        transactions=transactions,
        decisions=replace(records.decisions, transaction_id=ids),
    )


def _storable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
