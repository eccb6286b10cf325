"""The JSON of `decisions.record`: `DecisionRecord.to_document()`, its plan by name only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from itertools import repeat
from typing import Any

import msgspec

from fraud.decision import Vote
from fraud.payment.batch import columns_of
from fraud.payment.transaction import Transaction
from fraud.record import OUTCOME_TEXT, RecordBatch
from fraud.stage import compact_stages, decision_stages

# A Transaction without its unknown fields.
_Transaction: type[msgspec.Struct] = msgspec.defstruct(
    "_Transaction",
    [
        (f.name, Any) if f.default is MISSING else (f.name, Any, f.default)
        for f in fields(Transaction)
    ],
    omit_defaults=True,
    gc=False,
)

_BLANK = msgspec.Raw(b"\0")
"""A gap that each row fills. The byte does not occur in JSON."""


class _Vote(msgspec.Struct, gc=False):
    variant: str
    version: str
    digest: str
    status: str
    score: msgspec.Raw | None


class _Plan(msgspec.Struct, gc=False):
    """How a stored record names its plan. The plan document is stored once, under its digest."""

    name: str
    version: int
    digest: str


class _Document(msgspec.Struct, gc=False):
    """The document of all rows of a batch, with blanks where they differ, in `_filled`'s order."""

    schema_id: str
    plan: _Plan
    decided_at_ms: int
    explained_by: str
    code_version: str
    arm: str
    votes: list[_Vote]
    stage_ms: msgspec.Raw
    tenant: msgspec.Raw = _BLANK
    transaction: msgspec.Raw = _BLANK
    decision_id: msgspec.Raw = _BLANK
    outcome: msgspec.Raw = _BLANK
    probability: msgspec.Raw = _BLANK
    risk_score: msgspec.Raw = _BLANK
    anomaly_score: msgspec.Raw = _BLANK
    reasons: msgspec.Raw = _BLANK
    degraded: msgspec.Raw = _BLANK
    feature_age_ms: msgspec.Raw = _BLANK


_encode = msgspec.json.Encoder().encode


def documents(records: RecordBatch) -> list[bytes]:
    """Return the documents of n records as JSON. Numbers that are not finite become null.

    Raises:
        LookupError, TypeError, ValueError: a record has no such document.
    """
    template = _encode(_shared(records)).replace(b"%", b"%%").replace(b"\0", b"%b")
    return [template % row for row in zip(*_filled(records), strict=True)]


def _shared(records: RecordBatch) -> _Document:
    d, plan = records.decisions, records.plan
    return _Document(
        records.schema_id,
        _Plan(plan.name, plan.version, plan.digest),
        d.decided_at_ms,
        d.explained_by,
        records.code_version,
        d.arm,
        [_vote(vote) for vote in d.votes],
        _stages(records),
    )


def _stages(records: RecordBatch) -> msgspec.Raw:
    d = records.decisions
    shared = compact_stages(decision_stages(d.stage_ms), [vote.variant for vote in d.votes])
    return msgspec.Raw(b"{%b\0}" % _encode(shared)[1:-1])


def _own_stages(records: RecordBatch) -> Iterable[bytes]:
    """Return the stages of each row, which follow those of its micro-batch."""
    texts = records.transactions.stages
    if texts is None:
        return repeat(b"", len(records))
    comma = "," if decision_stages(records.decisions.stage_ms) else ""
    return [f"{comma}{text}".encode() if text else b"" for text in texts]


def _notes(records: RecordBatch) -> Iterable[msgspec.Raw | None]:
    texts = records.transactions.metadata
    if texts is None:
        return repeat(None, len(records))
    return [None if text is None else msgspec.Raw(text.encode()) for text in texts]


def _vote(vote: Vote) -> _Vote:
    score = None if vote.scores is None else _BLANK
    return _Vote(vote.variant, vote.version, vote.digest, vote.status, score)


def _filled(records: RecordBatch) -> Iterable[Iterable[bytes]]:
    """Return the values of the rows: columns of n pieces of JSON."""
    d = records.decisions
    tenants, *columns = columns_of(records.transactions)
    scores = [vote.scores.tolist() for vote in d.votes if vote.scores is not None]
    filled = [
        tenants,
        map(_Transaction, *columns, _notes(records)),
        d.decision_id,
        [OUTCOME_TEXT[outcome] for outcome in d.outcome],
        d.probability,
        d.risk_score,
        d.anomaly_score,
        d.reasons,
        d.degraded,
        d.feature_age_ms,
    ]
    written = map(map, repeat(_encode), filled)
    return [*map(map, repeat(_encode), scores), _own_stages(records), *written]
