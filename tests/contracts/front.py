"""A front without Ray and without stores: what decides and what remembers is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import numpy as np

from fraud.access.keys import ApiKey, hash_key
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Reason, Vote
from fraud.errors import NotFound
from fraud.payment.batch import TransactionBatch
from fraud.plan import Member, Plan, Thresholds
from serve_app.gateway.auth import Authenticator, KeyRecord
from serve_app.gateway.labelling import Claim, Kept, Verdict
from serve_app.gateway.ratelimit.ask import Ask
from serve_app.gateway.ratelimit.ask import Verdict as Admission
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.local import LocalLimiter
from serve_app.gateway.search import Search
from serve_app.http.asgi import DecisionsApp, FrontSettings
from serve_app.http.rest import build_rest
from serve_app.http.services import Pool, Services
from serve_app.http.wire.schemas import DecisionsOut, KeptDecisionOut, LabelOut, PaymentOut, PlanOut

NOW_MS = 1_772_366_400_000  # 2026-03-01T12:00:00Z
PEPPER = "pepper"
SECRET = "a value that must not be told"
KEY = ApiKey("abcdefghijkm", "s" * 43)
DECISION_ID = "019caa6a-f000-7c11-9d0e-3f1f6c2b8a55"
HEADERS = {"x-api-key": str(KEY)}
FREE_KEY = ApiKey("mkjihgfedcba", "f" * 43)
PLAN = Plan(
    name="default",
    version=3,
    kind="ensemble",
    members=(Member("xgboost", 0.6), Member("logistic", 0.4)),
    thresholds=Thresholds(0.3, 0.5, 0.9),
    anomaly="isolation-forest",
)


def payment(**changes: Any) -> dict[str, Any]:
    """A sound transaction as JSON; a change to `...` leaves the field out."""
    sound = {
        "transaction_id": "t-1",
        "customer_id": "c-1",
        "timestamp": "2026-03-01T12:00:00Z",
        "amount": "129.90",
        "currency": "EUR",
        "type": "purchase",
        "merchant_id": "m-1",
        "merchant_category": "5732",
        "device_id": "d-1",
        "ip_address": "203.0.113.9",
        "country": "DE",
        "channel": "online",
        "latitude": 52.52,
        "longitude": 13.405,
    }
    return {name: value for name, value in (sound | changes).items() if value is not ...}


def probability_of(transaction_id: str) -> float:
    """What FakeCombiner says of a transaction: different for different ids."""
    return (hash(transaction_id) % 10_000_019) / 10_000_019


class FakeCombiner:
    """Decides by transaction id alone. A row whose id holds `poison` fails its whole call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.errors: list[Exception] = []
        self.gate: Callable[[], Awaitable[object]] | None = None
        self.stage_ms = {"features": 0.5, "vote": 1.25}

    async def decide(self, batch: TransactionBatch, patient: bool = False) -> DecisionBatch:
        self.calls.append(list(batch.transaction_id))
        if self.gate is not None:
            await self.gate()
        if self.errors:
            raise self.errors.pop(0)
        if any("poison" in i for i in batch.transaction_id):
            raise ZeroDivisionError(SECRET)
        return decided(batch.transaction_id, self.stage_ms)


def decided(ids: list[str], stage_ms: dict[str, float]) -> DecisionBatch:
    """Decisions on transactions, each a function of its id."""
    probability = [probability_of(i) for i in ids]
    outcome = [0 if p < 0.3 else 1 if p < 0.5 else 2 if p < 0.9 else 3 for p in probability]
    reason = Reason("CUSTOMER_VELOCITY", "customer_count_1h", "9 payments in the last hour", 1.5)
    thresholds = Thresholds(0.3, 0.5, 0.9)
    return DecisionBatch(
        decision_id=[f"019caa6a-f000-7c11-9d0e-{i:012x}" for i in range(len(ids))],
        transaction_id=list(ids),
        outcome=outcome,
        probability=probability,
        risk_score=risk_scores(thresholds, np.array(probability), np.array(outcome, np.int8)),
        anomaly_score=[0.25 if i % 2 else float("nan") for i in range(len(ids))],
        reasons=[() if o == 0 else (reason,) for o in outcome],
        votes=(
            Vote("xgboost", "9c1f02ab77de", "ok", np.array(probability), 1.0, "9c" * 32),
            Vote("logistic", "", "late", None, 100.0),
        ),
        plan="default",
        plan_version=3,
        degraded=[("variant_late:logistic",)] * len(ids),
        feature_age_ms=[-1 if i % 2 else 42 for i in range(len(ids))],
        decided_at_ms=NOW_MS + 250,
        stage_ms=stage_ms,
    )


class FakeLedger:
    """Holds one decision, `DECISION_ID` of tenant `acme` on payment `t-1`, and what was said."""

    def __init__(self) -> None:
        self.said: list[Verdict] = []
        self.searches: list[Search] = []
        self.has_more = False
        self.plan: Plan | None = PLAN
        self.error: Exception | None = None

    async def decision(self, tenant: str, decision_id: str) -> KeptDecisionOut:
        if self.error is not None:
            raise self.error
        if (tenant, decision_id) != ("acme", DECISION_ID):
            raise NotFound("no such decision")
        plan = PlanOut("default", 3)
        return KeptDecisionOut(
            *(DECISION_ID, "t-1", "approve", 1, 0.01, "low", [], [], None, plan),
            *(False, [], None, {}, "2026-03-01T12:00:00.250Z"),
            payment=PaymentOut("t-1", "c-1", "2026-03-01T12:00:00Z", "1.00", "EUR", "purchase"),
            labels=[],
        )

    async def decisions(self, tenant: str, search: Search) -> DecisionsOut:
        self.searches.append(search)
        found = [await self.decision(tenant, DECISION_ID)]
        cursor = search.cursor(UUID(DECISION_ID)) if self.has_more else None
        span = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (search.from_ms, search.to_ms))
        return DecisionsOut(found, cursor, *span)

    async def labels(self, tenant: str, claims: Sequence[Claim]) -> list[Kept]:
        kept: list[Kept] = []
        for claim in claims:
            try:
                if claim.transaction_id not in (None, "t-1"):
                    raise NotFound("no such payment")
                named = DECISION_ID if claim.decision_id is None else claim.decision_id
                kept.append(await self.label(tenant, named, claim.verdict))
            except NotFound as error:
                kept.append(error)
        return kept

    async def label(self, tenant: str, decision_id: str, verdict: Verdict) -> tuple[LabelOut, bool]:
        decision = await self.decision(tenant, decision_id)
        is_new = verdict not in self.said
        if is_new:
            self.said.append(verdict)
        now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        known_at = verdict.known_at or now
        said = (verdict.is_fraud, verdict.source, known_at, now)
        return LabelOut(decision.decision_id, "t-1", *said), is_new

    async def active_plan(self) -> Plan | None:
        if self.error is not None:
            raise self.error
        return self.plan


class FakeRedisLimiter:
    """Counts in memory, on a clock that stands still; raises `error` if there is one."""

    def __init__(self) -> None:
        self.now_us = NOW_MS * 1000
        self.limiter = LocalLimiter(lambda: self.now_us)
        self.error: Exception | None = None
        self.asked = 0
        self.sharers = 1
        self.closed = False

    async def admit(self, ask: Ask) -> Admission:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return await self.limiter.admit(ask)

    async def register(self, who: str) -> int:
        if self.error is not None:
            raise self.error
        return self.sharers

    async def close(self) -> None:
        self.closed = True


class Front:
    """A DecisionsApp with everything behind it in memory, and a client for it."""

    def __init__(self, **settings: Any) -> None:
        self.combiner = FakeCombiner()
        self.ledger = FakeLedger()
        self.pool_list = [Pool("xgboost", "RUNNING", 1, 0, "9c1f02ab77de")]
        self.unready: Exception | None = None
        self.records = {
            key.key_id: KeyRecord(key.key_id, "acme", tier, hash_key(PEPPER, key), None, None)
            for key, tier in ((KEY, "standard"), (FREE_KEY, "free"))
        }
        self.store_error: Exception | None = None
        authenticator = Authenticator(self.find, PEPPER)
        self.services = Services(
            authenticate=authenticator.authenticate,
            ledger=self.ledger,
            pools=self.pools,
            ready=self.ready,
            exposition=lambda: b"# TYPE fraud_x counter\n",
            now_ms=lambda: NOW_MS,
        )
        self.limiter = FakeRedisLimiter()
        self.limits = RateLimits(
            self.limiter,
            "front",
            LocalLimiter(lambda: self.limiter.now_us),
            lambda: self.limiter.now_us / 1e6,
        )
        self.app = DecisionsApp(
            self.combiner.decide,
            authenticator.authenticate,
            self.limits,
            FrontSettings(**settings),
            build_rest(self.services),
            now_ms=lambda: NOW_MS,
        )

    async def find(self, key_id: str) -> KeyRecord | None:
        await asyncio.sleep(0)
        if self.store_error is not None:
            raise self.store_error
        return self.records.get(key_id)

    async def pools(self) -> list[Pool]:
        return self.pool_list

    async def ready(self) -> None:
        if self.unready is not None:
            raise self.unready

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client with a good key, unless other headers are given."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://front",
            headers=HEADERS if headers is None else headers,
        )
