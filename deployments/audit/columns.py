"""Records as the columns of `ship.sql`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from deployments.audit.entry import storable
from fraud.currency import hundredths
from fraud.record import DecisionRecord, plan_digest

_SEPARATOR = "\x1f"
_NUL = b"\\u0000"

_TRANSACTION: tuple[Callable[[DecisionRecord], Any], ...] = tuple(
    attrgetter(name)
    for name in (
        "tenant",
        "transaction.transaction_id",
        "transaction.customer_id",
        "transaction.timestamp_ms",
        "transaction.amount_minor",
        "transaction.currency",
        "transaction.type",
        "transaction.merchant_id",
        "transaction.merchant_category",
        "transaction.counterparty_id",
        "transaction.device_id",
        "transaction.ip_address",
        "transaction.country",
        "transaction.channel",
        "transaction.latitude",
        "transaction.longitude",
    )
)
_COLUMNS: tuple[Callable[[DecisionRecord], Any], ...] = (
    *_TRANSACTION,
    lambda r: hundredths(r.transaction.amount_minor, r.transaction.currency),
    attrgetter("decision_id"),
    attrgetter("decided_at_ms"),
    attrgetter("outcome"),
    attrgetter("probability"),
    attrgetter("anomaly_score"),
    lambda r: r.plan["name"],
    lambda r: r.plan["version"],
    lambda r: _SEPARATOR.join(r.degraded),
    attrgetter("schema_id"),
    attrgetter("features"),
)

N_COLUMNS = len(_COLUMNS) + 1
"""How many arguments `ship.sql` takes."""

# What the document takes from the record; features are bytes and have a column of their own.
_DOCUMENT = tuple(
    name for name in DecisionRecord.__dataclass_fields__ if name not in ("features", "plan")
)
_values = attrgetter(*_DOCUMENT)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PlanReference:
    """How a stored record names its plan: the document is kept once, under its digest."""

    name: str
    version: int
    digest: str


def plans(records: Sequence[DecisionRecord]) -> dict[int, tuple[PlanReference, dict[str, Any]]]:
    """The plan documents of records, with how to name them, by identity of `record.plan`.

    Raises:
        KeyError: a document has no name or version.
    """
    found = {id(record.plan): record.plan for record in records}
    return {
        key: (PlanReference(plan["name"], plan["version"], plan_digest(plan)), plan)
        for key, plan in found.items()
    }


def columns(records: Sequence[DecisionRecord]) -> list[list[Any]]:
    """The arguments of `ship.sql`, one list a column.

    Raises:
        KeyError, TypeError, ValueError: a record has no such column.
    """
    references = {key: reference for key, (reference, _) in plans(records).items()}
    kept, documents = [], []
    for record in records:
        document = _document(record, references[id(record.plan)])
        if _NUL in document:
            plan = references[id(record.plan)]
            record = storable(record)
            document = _document(record, plan)
        kept.append(record)
        documents.append(document.decode())
    return [*(list(map(column, kept)) for column in _COLUMNS), documents]


def _document(record: DecisionRecord, plan: PlanReference) -> bytes:
    """`record.to_document()` as JSON, its plan named only; what is not finite becomes null."""
    document = dict(zip(_DOCUMENT, _values(record), strict=True))
    document["plan"] = plan
    return _encoder.encode(document)
