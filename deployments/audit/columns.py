"""Records as the columns of `ship.sql`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from itertools import repeat
from typing import Any

import msgspec

from deployments.audit.entry import storable
from fraud.batch import columns_of
from fraud.currency import hundredths
from fraud.decision import Reason, Vote
from fraud.record import OUTCOME_TEXT, RecordBatch, finite
from fraud.transaction import Transaction

N_COLUMNS = 28
"""How many arguments `ship.sql` takes."""

_SEPARATOR = "\x1f"
_NUL = b"\\u0000"


# A Transaction; what is unknown is left out.
_Transaction: type[msgspec.Struct] = msgspec.defstruct(
    "_Transaction",
    [
        (f.name, Any) if f.default is MISSING else (f.name, Any, f.default)
        for f in fields(Transaction)
    ],
    omit_defaults=True,
    gc=False,
)


class _Vote(msgspec.Struct, gc=False):
    variant: str
    version: str
    digest: str
    status: str
    score: float | None


class _Plan(msgspec.Struct, gc=False):
    """How a stored record names its plan: the document is kept once, under its digest."""

    name: str
    version: int
    digest: str


class _Document(msgspec.Struct, gc=False):
    """`DecisionRecord.to_document()`, its plan named only; what is not finite becomes null."""

    tenant: str
    transaction: Any  # _Transaction
    schema_id: str
    votes: tuple[_Vote, ...]
    plan: _Plan
    decision_id: str
    outcome: str
    probability: float
    anomaly_score: float | None
    reasons: tuple[Reason, ...]
    degraded: tuple[str, ...]
    feature_age_ms: int
    decided_at_ms: int
    code_version: str


_encode = msgspec.json.Encoder().encode


def columns(records: RecordBatch) -> list[list[Any]]:
    """The arguments of `ship.sql`, `N_COLUMNS` lists of n.

    Raises:
        LookupError, TypeError, ValueError: a record has no such column.
    """
    documents = list(map(_encode, _documents(records)))
    if any(_NUL in document for document in documents):
        records = storable(records)
        documents = list(map(_encode, _documents(records)))
    transactions, d, n = records.transactions, records.decisions, len(records)
    return [
        *columns_of(transactions),
        list(map(hundredths, transactions.amount_minor, transactions.currency)),
        d.decision_id,
        [d.decided_at_ms] * n,
        [OUTCOME_TEXT[outcome] for outcome in d.outcome],
        d.probability,
        list(map(finite, d.anomaly_score)),
        [records.plan.name] * n,
        [records.plan.version] * n,
        [_SEPARATOR.join(d.degraded)] * n,
        [records.schema_id] * n,
        records.rows_of_features(),
        [document.decode() for document in documents],
    ]


def _documents(records: RecordBatch) -> Iterable[_Document]:
    tenants, *columns = columns_of(records.transactions)
    d, plan, n = records.decisions, records.plan, len(records)
    return map(
        _Document,
        tenants,
        map(_Transaction, *columns),
        repeat(records.schema_id),
        zip(*(_votes(vote, n) for vote in d.votes), strict=True) if d.votes else repeat(()),
        repeat(_Plan(plan.name, plan.version, plan.digest)),
        d.decision_id,
        [OUTCOME_TEXT[outcome] for outcome in d.outcome],
        d.probability,
        d.anomaly_score,
        d.reasons,
        repeat(d.degraded),
        d.feature_age_ms,
        repeat(d.decided_at_ms),
        repeat(records.code_version),
    )


def _votes(vote: Vote, n: int) -> Iterable[_Vote]:
    said = vote.variant, vote.version, vote.digest, vote.status
    if vote.scores is None:
        return [_Vote(*said, None)] * n
    return map(_Vote, *map(repeat, said), vote.scores.tolist())
