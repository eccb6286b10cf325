"""The HTTP app without Ray and stores: the combiner and the records are in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import numpy as np

from fraud.access.keys import ApiKey, hash_key
from fraud.access.scopes import ALL_SCOPES, Scope
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Decisions, Reason, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import NotFound
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.record import DecisionRecord
from serve_app.gateway.auth import Authenticator, KeyRecord
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.labels import KeptLabel, LabelResult, NewLabel
from serve_app.gateway.pool import Pool
from serve_app.gateway.ratelimit.interface import Admission, AdmissionRequest
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.local import LocalLimiter
from serve_app.gateway.records import DecisionPage, FoundDecision
from serve_app.gateway.search import Search
from serve_app.gateway.simulations import Simulations
from serve_app.http.asgi import DecisionsApp
from serve_app.http.rest import build_rest
from serve_app.http.services import RequestLimits, Services
from tests.contracts.decisions import whole
from tests.contracts.fake_plans import FakePlans
from tests.contracts.recorded import simulated_on_record

NOW_MS = 1_772_366_400_000  # 2026-03-01T12:00:00Z
PEPPER = "pepper"
SECRET = "a value that must not leak"
KEY = ApiKey("abcdefghijkm", "s" * 43)
DECISION_ID = "019caa6a-f000-7c11-9d0e-3f1f6c2b8a55"
HEADERS = {"x-api-key": str(KEY)}
FREE_KEY = ApiKey("mkjihgfedcba", "f" * 43)
PLAN = Plan(
    name="default",
    version=3,
    policy=Ensemble(
        members=(Member("xgboost", 0.6), Member("logistic", 0.4)),
        thresholds=Thresholds(0.3, 0.5, 0.9),
        anomaly="isolation-forest",
    ),
)


def payment(**changes: Any) -> dict[str, Any]:
    """Return a valid transaction as JSON; a change to `...` leaves the field out."""
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
    """Return the probability that FakeCombiner gives: different for different ids."""
    return (hash(transaction_id) % 10_000_019) / 10_000_019


class FakeCombiner:
    """Decides by transaction id alone. A row with `poison` in its id fails its whole call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.errors: list[Exception] = []
        self.gate: Callable[[], Awaitable[object]] | None = None
        self.stage_ms = {"features": 0.5, "vote": 1.25}

    async def decide(self, batch: TransactionBatch, patient: bool = False) -> Decisions:
        self.calls.append(list(batch.transaction_id))
        if self.gate is not None:
            await self.gate()
        if self.errors:
            raise self.errors.pop(0)
        if any("poison" in i for i in batch.transaction_id):
            raise ZeroDivisionError(SECRET)
        return whole(decided(batch.transaction_id, self.stage_ms))


def decided(ids: list[str], stage_ms: dict[str, float]) -> DecisionBatch:
    """Return decisions on transactions, each a function of its id."""
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


def found_decision() -> FoundDecision:
    """Return the one decision on record, without labels."""
    return FoundDecision(
        DecisionRecord(
            tenant="acme",
            transaction=Transaction("t-1", "c-1", NOW_MS, 100, "EUR", "purchase"),
            schema_id="",
            features=b"",
            votes=(),
            plan={"name": "default", "version": 3},
            decision_id=DECISION_ID,
            outcome="approve",
            probability=0.01,
            risk_score=1,
            anomaly_score=None,
            reasons=(),
            degraded=(),
            feature_age_ms=-1,
            decided_at_ms=NOW_MS + 250,
        )
    )


class FakeRecords:
    """Holds one decision, `DECISION_ID` of tenant `acme` on payment `t-1`, and its labels."""

    def __init__(self) -> None:
        self.kept: list[NewLabel] = []
        self.searches: list[Search] = []
        self.has_more = False
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        """A look-up that only the real records know: nothing is found."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def look_up(*_: Any) -> Any:
            raise NotFound("nothing is on record")

        return look_up

    async def decision(self, tenant: str, decision_id: str) -> FoundDecision:
        if self.error is not None:
            raise self.error
        if (tenant, decision_id) != ("acme", DECISION_ID):
            raise NotFound("no such decision")
        return found_decision()

    async def decisions(self, tenant: str, search: Search) -> DecisionPage:
        self.searches.append(search)
        found = await self.decision(tenant, DECISION_ID)
        cursor = search.cursor(UUID(DECISION_ID)) if self.has_more else None
        return DecisionPage((found,), cursor, search)

    async def labels(self, tenant: str, labels: Sequence[NewLabel]) -> list[LabelResult]:
        results: list[LabelResult] = []
        for label in labels:
            try:
                if label.transaction_id not in (None, "t-1"):
                    raise NotFound("no such payment")
                results.append(await self.label(tenant, label))
            except NotFound as error:
                results.append(error)
        return results

    async def label(self, tenant: str, label: NewLabel) -> tuple[KeptLabel, bool]:
        if label.transaction_id not in (None, "t-1"):
            raise NotFound("no such payment")
        await self.decision(tenant, label.decision_id or DECISION_ID)
        verdict = NewLabel(label.is_fraud, label.source, label.known_at)
        is_new = verdict not in self.kept
        if is_new:
            self.kept.append(verdict)
        now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        kept = (label.is_fraud, label.source, label.known_at or now, now)
        return KeptLabel(UUID(DECISION_ID), "t-1", *kept), is_new


class FakeRedisLimiter:
    """Counts in memory, on a clock that stands still; raises `error` if there is one."""

    def __init__(self) -> None:
        self.now_us = NOW_MS * 1000
        self.limiter = LocalLimiter(lambda: self.now_us)
        self.error: Exception | None = None
        self.asked = 0
        self.sharers = 1
        self.closed = False

    async def admit(self, request: AdmissionRequest) -> Admission:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return await self.limiter.admit(request)

    async def register(self, who: str) -> int:
        if self.error is not None:
            raise self.error
        return self.sharers

    async def close(self) -> None:
        self.closed = True


class Front:
    """A DecisionsApp with everything behind it in memory, and a client for it."""

    def __init__(self, **settings: Any) -> None:
        names = RequestLimits.__dataclass_fields__.keys() & settings
        limits = {name: settings.pop(name) for name in names}
        self.combiner = FakeCombiner()
        self.records = FakeRecords()
        self.plans = FakePlans(PLAN)
        self.pool_list = [Pool("xgboost", "RUNNING", 1, 0, "9c1f02ab77de")]
        self.unready: Exception | None = None
        self.readiness: object = None
        self.keys = {
            key.key_id: KeyRecord(
                key.key_id, "acme", tier, ALL_SCOPES, hash_key(PEPPER, key), None, None
            )
            for key, tier in ((KEY, "standard"), (FREE_KEY, "free"))
        }
        self.store_error: Exception | None = None
        self.simulated: list[tuple[str, Plan, int]] = []
        self.simulation_error: Exception | None = None
        authenticator = Authenticator(self.find, PEPPER)
        self.services = Services(
            authenticate=authenticator.authenticate,
            records=self.records,
            plans=self.plans,
            simulations=Simulations(self.plans, self.simulate),
            pools=self.pools,
            ready=self.ready,
            exposition=lambda: b"# TYPE fraud_x counter\n",
            now_ms=lambda: NOW_MS,
            limits=RequestLimits(**limits),
        )
        self.limiter = FakeRedisLimiter()
        self.limits = RateLimits(
            self.limiter,
            "front",
            LocalLimiter(lambda: self.limiter.now_us),
            lambda: self.limiter.now_us / 1e6,
        )
        self.gateway = Gateway(self.combiner.decide, self.limits, GatewaySettings(**settings))
        self.app = DecisionsApp(
            self.gateway,
            authenticator.authenticate,
            self.services.limits,
            build_rest(self.services),
            now_ms=lambda: NOW_MS,
        )

    def grant(self, *scopes: Scope) -> None:
        """Let `KEY` have these scopes alone; before its first use, as keys are cached."""
        self.keys[KEY.key_id] = replace(self.keys[KEY.key_id], scopes=scopes)

    async def find(self, key_id: str) -> KeyRecord | None:
        await asyncio.sleep(0)
        if self.store_error is not None:
            raise self.store_error
        return self.keys.get(key_id)

    async def simulate(self, tenant: str, plan: Plan, last: int) -> dict[str, Any]:
        """Simulate a plan on decisions in memory."""
        self.simulated.append((tenant, plan, last))
        if self.simulation_error is not None:
            raise self.simulation_error
        return simulated_on_record(tenant, plan, last)

    async def pools(self) -> list[Pool]:
        return self.pool_list

    async def ready(self) -> object:
        if self.unready is not None:
            raise self.unready
        return self.readiness

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """Return a client with a valid key, unless other headers are given."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://front",
            headers=HEADERS if headers is None else headers,
        )
