"""An experiment on record: decisions of two arms, a shadow on all of them, and labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np

from fraud.decision import OUTCOMES

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 60
END = START + timedelta(days=DAYS + 30)
"""By now every label is known."""

_LEAF = {
    "kind": "single",
    "members": [{"variant": "xgboost", "weight": 1.0}],
    "thresholds": {"challenge": 0.05, "review": 0.15, "block": 0.6},
}
DOCUMENT: dict[str, Any] = {
    "name": "default",
    "version": 7,
    "kind": "shadow",
    "plan": {
        "kind": "ab",
        "salt": "s",
        "arms": [
            {"name": "control", "weight": 70, "plan": _LEAF},
            {"name": "new", "weight": 30, "plan": _LEAF},
        ],
    },
    "shadows": [{"name": "candidate", "plan": _LEAF, "share": 100}],
    "costs": {"review": 4.0, "false_block": 30.0, "challenge": 0.5, "challenge_stops": 0.8},
}
_THRESHOLDS = np.array([0.05, 0.15, 0.6])
_DIGEST = "d" * 64


@dataclass(frozen=True)
class World:
    """n payments and what was decided on them; the shadow and the new arm see more than the rest.

    Attributes:
        decided_ms, customer, fraud, amount, delay_ms, labelled: of each payment.
        is_new: bool[n], whether the arm `new` decided.
        live, pinned, shadow: probabilities of the plan, of a pinned model and of the shadow; NaN
            where the shadow was not asked.
    """

    decided_ms: np.ndarray
    customer: np.ndarray
    fraud: np.ndarray
    amount: np.ndarray
    delay_ms: np.ndarray
    labelled: np.ndarray
    is_new: np.ndarray
    live: np.ndarray
    pinned: np.ndarray
    shadow: np.ndarray

    def __len__(self) -> int:
        return int(self.fraud.size)


def world(n: int = 4_000, seed: int = 14, skill: float = 0.25, live: float = 4.0) -> World:
    """Make payments of n / 8 customers, a quarter of them by the new arm.

    Args:
        skill: noise of the shadow and the new arm, in log-odds.
        live: noise of the rest.
    """
    rng = np.random.default_rng(seed)
    customers = max(n // 8, 2)
    customer = rng.integers(0, customers, n)
    odds = -4.2 + rng.normal(0, 0.8, customers)[customer] + rng.normal(0, 2.2, n)
    fraud = rng.random(n) < _probability(odds)
    is_new = (customer % 4) == 0
    seen = {
        noise: _probability((odds + 4.2 + rng.normal(0, noise, n)) * _shrunk(noise) - 4.2)
        for noise in (skill, live + 1e-9)
    }
    better, worse = seen.values()
    asked = rng.random(n) < 0.8
    return World(
        decided_ms=int(START.timestamp() * 1000)
        + np.sort(rng.integers(0, DAYS * 86_400_000, n)).astype(np.int64),
        customer=customer,
        fraud=fraud,
        amount=np.exp(rng.normal(4, 1, n)).round(2),
        delay_ms=(rng.exponential(5, n) * 86_400_000).astype(np.int64).clip(max=25 * 86_400_000),
        labelled=rng.random(n) < 0.9,
        is_new=is_new,
        live=np.where(is_new, better, worse),
        pinned=better,
        shadow=np.where(asked, better, np.nan),
    )


def outcome_of(probability: np.ndarray) -> np.ndarray:
    """Return indices into `OUTCOMES`."""
    return np.searchsorted(_THRESHOLDS, probability, side="right")


async def record(connection: asyncpg.Connection, made: World, tenant: str = "acme") -> None:
    """Write a world into the tables of a database."""
    await connection.execute(
        "INSERT INTO recorded_plans (digest, document) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        _DIGEST,
        json.dumps(DOCUMENT),
    )
    rows = range(len(made))
    await _copy(connection, "transactions", [_transaction(made, i, tenant) for i in rows])
    await _copy(connection, "decisions", [_decision(made, i, tenant) for i in rows])
    asked = [i for i in rows if np.isfinite(made.shadow[i])]
    await _copy(connection, "shadow_decisions", [_shadow(made, i, tenant) for i in asked])
    labelled = [i for i in rows if made.labelled[i]]
    await _copy(connection, "labels", [_label(made, i, tenant) for i in labelled])
    await connection.execute("ANALYZE")


def decision_id(made: World, row: int, tenant: str) -> UUID:
    """Return the id of a decision: a UUIDv7 of its time."""
    low = hash((tenant, row, int(made.decided_ms[row]))) & ((1 << 62) - 1)
    return UUID(int=(int(made.decided_ms[row]) << 80) | (7 << 76) | (2 << 62) | low)


def _transaction(made: World, i: int, tenant: str) -> dict[str, Any]:
    minor = round(made.amount[i] * 100)
    return {
        "tenant": tenant,
        "transaction_id": f"t{i}",
        "occurred_at": _at(made.decided_ms[i]),
        "customer_id": f"c{made.customer[i]}",
        "amount_minor": minor,
        "currency": "EUR",
        "type": "purchase",
        "amount_hundredths": minor,
    }


def _decision(made: World, i: int, tenant: str) -> dict[str, Any]:
    arm = "new" if made.is_new[i] else "control"
    votes = [
        _vote("xgboost", "aaaaaaaaaaaa", float(made.live[i])),
        _vote("xgboost@bbbbbbbbbbbb", "bbbbbbbbbbbb", float(made.pinned[i])),
        {**_vote("logistic", "", 0.0), "status": "late", "score": None},
    ]
    degraded = ["variant_late:logistic"] if i % 10 == 0 else []
    document = {
        "transaction": {
            "transaction_id": f"t{i}",
            "amount_minor": round(made.amount[i] * 100),
            "currency": "EUR",
        },
        "plan": {"name": "default", "version": 7, "digest": _DIGEST},
        "arm": arm,
        "votes": votes,
        "stage_ms": {"votes": 2.0 + i % 5, "0": 1.0 + i % 5, "1": 1.5},
    }
    return {
        "tenant": tenant,
        "decision_id": decision_id(made, i, tenant),
        "decided_at": _at(made.decided_ms[i]),
        "transaction_id": f"t{i}",
        "customer_id": f"c{made.customer[i]}",
        "outcome": OUTCOMES[outcome_of(made.live[i])].value,
        "probability": float(made.live[i]),
        "plan": "default",
        "plan_version": 7 if i % 3 else 6,
        "degraded": degraded,
        "schema_id": "s",
        "features": b"",
        "record": json.dumps(document),
    }


def _shadow(made: World, i: int, tenant: str) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "decision_id": decision_id(made, i, tenant),
        "decided_at": _at(made.decided_ms[i]),
        "plan": "default",
        "plan_version": 7 if i % 3 else 6,
        "shadow": "candidate",
        "outcome": OUTCOMES[outcome_of(made.shadow[i])].value,
        "probability": float(made.shadow[i]),
        "votes": json.dumps([_vote("xgboost", "cccccccccccc", float(made.shadow[i]))]),
        "elapsed_ms": 7.0 + i % 3,
    }


def _label(made: World, i: int, tenant: str) -> dict[str, Any]:
    known = _at(made.decided_ms[i] + made.delay_ms[i])
    return {
        "tenant": tenant,
        "transaction_id": f"t{i}",
        "is_fraud": bool(made.fraud[i]),
        "known_at": known,
        "source": "chargeback",
        "received_at": known,
    }


def _vote(variant: str, version: str, score: float) -> dict[str, Any]:
    return {"variant": variant, "version": version, "digest": "", "status": "ok", "score": score}


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)


def _probability(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def _shrunk(noise: float) -> float:
    variance = 0.8**2 + 2.2**2
    return float(variance / (variance + noise**2))


async def _copy(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    await connection.executemany(
        f"INSERT INTO {table} ({', '.join(rows[0])})"
        f" VALUES ({', '.join(f'${k}' for k in range(1, len(rows[0]) + 1))})",
        [tuple(row.values()) for row in rows],
    )
