"""Decisions and labels on record as the wire types that clients read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from msgspec import UNSET

from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.payment.currency import to_major
from fraud.payment.transaction import Transaction
from serve_app.gateway.labels import KeptLabel
from serve_app.gateway.queries import utc
from serve_app.gateway.records import DecisionPage, FoundDecision, FoundLabel
from serve_app.http.wire.answers import rfc3339
from serve_app.http.wire.label_schemas import LabelOut
from serve_app.http.wire.schemas import (
    DecidingPlanOut,
    DecisionsOut,
    KeptDecisionOut,
    KeptLabelOut,
    PaymentOut,
    ReasonOut,
    VoteOut,
)

_LEVEL_OF = dict(zip((outcome.value for outcome in OUTCOMES), RISK_LEVELS, strict=True))
_MONEY_AND_TIME = ("amount_minor", "timestamp_ms")


def decision_out(found: FoundDecision) -> KeptDecisionOut:
    """Return the answer that the client got, with the payment and its labels."""
    record = found.record
    metadata = record.transaction.metadata
    return KeptDecisionOut(
        decision_id=record.decision_id,
        transaction_id=record.transaction.transaction_id,
        decision=record.outcome,  # type: ignore[arg-type]
        risk_score=record.risk_score,
        probability=record.probability,
        risk_level=_LEVEL_OF[record.outcome],  # type: ignore[arg-type]
        reasons=[
            ReasonOut(r.code, r.feature, r.detail, r.direction, r.contribution)
            for r in record.reasons
        ],
        variants=[
            VoteOut(vote.variant, vote.version, vote.status, vote.score)  # type: ignore[arg-type]
            for vote in record.votes
        ],
        anomaly_score=record.anomaly_score,
        plan=DecidingPlanOut(record.plan["name"], record.plan["version"], record.arm),
        degraded=bool(record.degraded),
        degraded_reasons=list(record.degraded),
        feature_age_ms=None if record.feature_age_ms < 0 else record.feature_age_ms,
        stage_ms=record.stage_ms,
        decided_at=rfc3339(record.decided_at_ms),
        metadata=UNSET if metadata is None else metadata,
        payment=_payment_out(record.transaction),
        labels=[_found_label_out(label) for label in found.labels],
    )


def page_out(page: DecisionPage) -> DecisionsOut:
    """Return a page of decisions."""
    period = utc(page.search.from_ms), utc(page.search.to_ms)
    return DecisionsOut([decision_out(d) for d in page.decisions], page.next_cursor, *period)


def label_out(label: KeptLabel) -> LabelOut:
    """Return a label as it is kept."""
    return LabelOut(
        label.decision_id,
        label.transaction_id,
        label.is_fraud,
        label.source,
        label.known_at,
        label.received_at,
    )


def _found_label_out(found: FoundLabel) -> KeptLabelOut:
    label = found.label
    return KeptLabelOut(
        label.is_fraud,
        label.source,
        label.known_at,
        label.received_at,
        label.decision_id,
        found.holds,
    )


def _payment_out(transaction: Transaction) -> PaymentOut:
    """Return the payment as it can be sent again: what was unknown is left out."""
    known: dict[str, Any] = {
        name: value
        for name, value in asdict(transaction).items()
        if value is not None and name not in _MONEY_AND_TIME
    }
    return PaymentOut(
        **known,
        timestamp=rfc3339(transaction.timestamp_ms).replace(".000Z", "Z"),
        amount=f"{to_major(transaction.amount_minor, transaction.currency):f}",
    )
