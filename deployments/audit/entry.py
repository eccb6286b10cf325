"""Entries: what a frame holds. The records of one micro-batch, what they share written once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from fraud.decision import Reason
from fraud.record import DecisionRecord, RecordedVote
from fraud.transaction import Transaction

FORMAT = 1
MAX_ROWS = 128
"""Rows of an entry at most: it is what a shipper must hold in memory at once."""


class _Row(msgspec.Struct, array_like=True, gc=False):
    """A DecisionRecord without what its entry says for all. Append fields at the end only."""

    tenant: str
    transaction: Transaction
    features: bytes
    votes: tuple[RecordedVote, ...]
    decision_id: str
    outcome: str
    probability: float
    anomaly_score: float | None
    reasons: tuple[Reason, ...]
    degraded: tuple[str, ...]
    feature_age_ms: int
    decided_at_ms: int


class _Entry(msgspec.Struct, array_like=True, gc=False):
    format: int
    plan: dict[str, Any]
    schema_id: str
    code_version: str
    rows: list[_Row]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Entry)
_ROW_FIELDS = _Row.__struct_fields__


def encode(records: Sequence[DecisionRecord]) -> list[bytes]:
    """Payloads that hold `records` in order, at most `MAX_ROWS` each."""
    return [_payload(group) for group in _groups(records)]


def decode(payload: bytes) -> list[DecisionRecord]:
    """Invert `encode` for one payload.

    Raises:
        ValueError: written by code that this code does not understand.
    """
    try:
        entry = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("not an entry of the decision log") from error
    if entry.format != FORMAT:
        raise ValueError(f"entry of format {entry.format}, this code reads {FORMAT}")
    return [
        DecisionRecord(
            plan=entry.plan,
            schema_id=entry.schema_id,
            code_version=entry.code_version,
            **{name: getattr(row, name) for name in _ROW_FIELDS},
        )
        for row in entry.rows
    ]


def _groups(records: Sequence[DecisionRecord]) -> Iterator[list[DecisionRecord]]:
    # By identity of the plan: the records of a micro-batch hold the same dict.
    for _, same in groupby(records, key=lambda r: (id(r.plan), r.schema_id, r.code_version)):
        group = list(same)
        for start in range(0, len(group), MAX_ROWS):
            yield group[start : start + MAX_ROWS]


def _payload(group: list[DecisionRecord]) -> bytes:
    first = group[0]
    entry = _Entry(
        FORMAT, first.plan, first.schema_id, first.code_version, [_row(r) for r in group]
    )
    try:
        return _encoder.encode(entry)
    except UnicodeEncodeError:
        # A lone surrogate in one row's text must not cost its whole batch the record.
        entry.rows = [msgspec.convert(_storable(msgspec.to_builtins(r)), _Row) for r in entry.rows]
        return _encoder.encode(entry)


def _row(r: DecisionRecord) -> _Row:
    return _Row(
        r.tenant,
        r.transaction,
        r.features,
        r.votes,
        r.decision_id,
        r.outcome,
        r.probability,
        r.anomaly_score,
        r.reasons,
        r.degraded,
        r.feature_age_ms,
        r.decided_at_ms,
    )


def storable(record: DecisionRecord) -> DecisionRecord:
    """The record with U+FFFD for every character that PostgreSQL cannot hold (NUL, surrogates)."""
    return msgspec.convert(_storable(msgspec.to_builtins(record)), DecisionRecord)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(k): _storable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(v) for v in value]
    return value
