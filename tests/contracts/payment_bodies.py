"""Payments as clients send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fraud.payment.batch import TransactionBatch
from fraud.payment.currency import to_major

_OPTIONAL = (
    *("merchant_id", "merchant_category", "counterparty_id", "device_id"),
    *("country", "channel", "latitude", "longitude"),
)


def body_of(batch: TransactionBatch, i: int) -> dict[str, Any]:
    """Return the row i of a batch as the body of a request."""
    body: dict[str, Any] = {
        "transaction_id": batch.transaction_id[i],
        "customer_id": batch.customer_id[i],
        "timestamp": datetime.fromtimestamp(batch.timestamp_ms[i] / 1000, UTC).isoformat(),
        "amount": str(to_major(batch.amount_minor[i], batch.currency[i])),
        "currency": batch.currency[i],
        "type": batch.type[i],
    }
    return body | {
        name: value for name in _OPTIONAL if (value := getattr(batch, name)[i]) is not None
    }
