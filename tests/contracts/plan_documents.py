"""Plan documents of which pictures are drawn."""

from __future__ import annotations

from typing import Any

T = {"challenge": 0.1, "review": 0.4, "block": 0.8}


def single(variant: str) -> dict[str, Any]:
    members = [{"variant": variant, "weight": 1}]
    return {"kind": "single", "members": members, "thresholds": T}


ENSEMBLE: dict[str, Any] = {
    "name": "default",
    "version": 3,
    "kind": "ensemble",
    "combiner": "stack",
    "members": [
        {"variant": "xgboost", "weight": 0.75, "required": True},
        {"variant": "logistic", "weight": 0.25, "deadline_ms": 30},
    ],
    "thresholds": T | {"anomaly_challenge": 0.99},
    "anomaly": "isolation-forest",
    "deadline_ms": 100,
}

COMPOSITE: dict[str, Any] = {
    "name": "all",
    "plans": {"house": single("xgboost")},
    "kind": "segments",
    "segments": [
        {
            "name": "large",
            "when": {
                "currency": ["EUR"],
                "amount": {"from": 10_000, "below": 20_000},
                "country": ["DE", "FR", "IT", "ES", "PT", "NL", "BE", "AT"],
            },
            "thresholds": {"challenge": 0.01, "review": 0.02, "block": 0.03},
            "plan": "house",
        },
        {
            "name": "small",
            "when": {},
            "plan": {
                "kind": "cascade",
                "stages": [
                    {"plan": single("logistic"), "settle_below": 0.002, "settle_from": 0.98},
                    {"plan": "house"},
                ],
            },
        },
    ],
    "default": {
        "kind": "canary",
        "steps": [1, 5, 25],
        "step": 1,
        "advance": {"after_minutes": 60},
        "guard": {"max_error_rate": 0.01, "max_p95_ms": 40, "block_rate": [0, 0.05]},
        "baseline": {
            "kind": "ab",
            "arms": [
                {"name": "control", "weight": 90, "plan": "house"},
                {"name": "new", "weight": 10, "plan": single("mine/xgboost@2fd6da9b13f3")},
            ],
        },
        "canary": {
            "kind": "shadow",
            "plan": "house",
            "shadows": [{"name": "candidate", "share": 50, "plan": single("forest")}],
        },
    },
}
