"""Examples that several routes show."""

from __future__ import annotations

from typing import Any, Final

TRANSACTION: Final[dict[str, Any]] = {
    "transaction_id": "t-20260301-000017",
    "customer_id": "c-5501",
    "timestamp": "2026-03-01T12:00:00Z",
    "amount": "129.90",
    "currency": "EUR",
    "type": "purchase",
    "merchant_id": "m-204",
    "merchant_category": "5732",
    "device_id": "d-77",
    "ip_address": "203.0.113.9",
    "country": "DE",
    "channel": "online",
    "metadata": {"order": "2026-0301-17"},
}
DECISION: Final[dict[str, Any]] = {
    "decision_id": "01956f2c-7a40-7c11-9d0e-3f1f6c2b8a55",
    "transaction_id": "t-20260301-000017",
    "decision": "review",
    "risk_score": 67,
    "probability": 0.7134,
    "risk_level": "high",
    "reasons": [
        {
            "code": "CUSTOMER_VELOCITY",
            "feature": "customer_count_1h",
            "detail": "12 payments by this customer in the last hour; usually 0 to 2",
            "direction": "raises",
            "contribution": 1.82,
        }
    ],
    "variants": [
        {"name": "xgboost", "version": "9c1f02ab77de", "status": "ok", "score": 0.78},
        {"name": "logistic", "version": "41be6f0d2c55", "status": "late", "score": None},
    ],
    "anomaly_score": 0.93,
    "plan": {"name": "default", "version": 3, "arm": ""},
    "degraded": True,
    "degraded_reasons": ["variant_late:logistic"],
    "feature_age_ms": 420_000,
    "stage_ms": {"auth": 0.01, "parse": 0.02, "wait": 0.4, "features": 0.9},
    "decided_at": "2026-03-01T12:00:00.250Z",
    "metadata": {"order": "2026-0301-17"},
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "urn:quorum:problem:invalid-input",
    "title": "The request has an invalid field",
    "status": 422,
    "detail": "Unknown value for `currency`: expected an ISO 4217 code",
    "request_id": "7f1b2c9e5d7c4f0ab5a0d7c0b9f8e6d1",
    "errors": [
        {
            "pointer": "/currency",
            "code": "unknown_currency",
            "detail": "Unknown value for `currency`: expected an ISO 4217 code",
        }
    ],
}
