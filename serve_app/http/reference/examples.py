"""Examples for the reference. Tests hold each of them against its wire type."""

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
    "plan": {"name": "default", "version": 3},
    "degraded": True,
    "degraded_reasons": ["variant_late:logistic"],
    "feature_age_ms": 420_000,
    "stage_ms": {"auth": 0.01, "parse": 0.02, "wait": 0.4, "features": 0.9},
    "decided_at": "2026-03-01T12:00:00.250Z",
    "metadata": {"order": "2026-0301-17"},
}
KEPT_DECISION: Final[dict[str, Any]] = {
    **DECISION,
    "payment": TRANSACTION,
    "labels": [
        {
            "is_fraud": True,
            "source": "chargeback",
            "known_at": "2026-03-20T08:30:00Z",
            "received_at": "2026-03-20T08:30:01Z",
            "decision_id": None,
            "holds": True,
        }
    ],
}
PAGE: Final[dict[str, Any]] = {
    "decisions": [KEPT_DECISION],
    "next_cursor": None,
    "from": "2026-02-20T00:00:00Z",
    "to": "2026-03-22T00:00:00Z",
}
LABEL_OF: Final[dict[str, Any]] = {
    "transaction_id": "t-20260301-000017",
    "is_fraud": True,
    "source": "chargeback",
    "known_at": "2026-03-20T08:30:00Z",
}
LABEL: Final[dict[str, Any]] = {
    "decision_id": "01956f2c-7a40-7c11-9d0e-3f1f6c2b8a55",
    "transaction_id": "t-20260301-000017",
    "is_fraud": True,
    "source": "chargeback",
    "known_at": "2026-03-20T08:30:00Z",
    "received_at": "2026-03-20T08:30:01Z",
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "urn:quorum:problem:invalid-input",
    "title": "The request names a wrong field",
    "status": 422,
    "detail": "the transaction cannot be read; errors names each wrong field",
    "request_id": "7f1b2c9e5d7c4f0ab5a0d7c0b9f8e6d1",
    "errors": [{"pointer": "/currency", "code": "unknown_currency", "detail": "must be ISO 4217"}],
}
VARIANTS: Final[dict[str, Any]] = {
    "plan": {"name": "default", "version": 3},
    "variants": [
        {
            "name": "xgboost",
            "role": "voter",
            "weight": 0.5,
            "app_status": "RUNNING",
            "version": "9c1f02ab77de",
            "replicas": {"running": 1, "starting": 0},
        }
    ],
}
ACTIVE_PLAN: Final[dict[str, Any]] = {
    "name": "default",
    "version": 3,
    "kind": "ensemble",
    "combiner": "stack",
    "members": [{"name": "xgboost", "weight": 0.8}, {"name": "logistic", "weight": 0.3}],
    "deadline_ms": 100,
    "decisions": [
        {
            "decision": decision,
            "risk_level": level,
            "from_probability": begins,
            "below_probability": ends,
            "from_score": score,
            "to_score": score + 24,
        }
        for decision, level, begins, ends, score in (
            ("approve", "low", 0.0, 0.12, 0),
            ("challenge", "medium", 0.12, 0.4, 25),
            ("review", "high", 0.4, 0.85, 50),
            ("block", "critical", 0.85, 1.0, 75),
        )
    ],
    "anomaly": {"name": "isolation-forest", "challenge_from": 0.995, "risk_score": 25},
}
