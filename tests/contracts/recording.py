"""The HTTP app with a real decision log and PostgreSQL, where decisions are read again; only the
combiner is fake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from decision_log.log import DecisionLog
from decision_log.shipping.shipper import ShipperConfig
from fraud.access.scopes import SCOPES
from fraud.decision import Decisions
from fraud.payment.batch import TransactionBatch
from fraud.record import records
from fraud.stage import COMBINE, FEATURES, LOG
from serve_app.database import open_pools
from serve_app.gateway.auth import Principal
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.records import Records
from serve_app.http.asgi import DecisionsApp
from serve_app.http.rest import build_rest
from settings.settings import Settings
from telemetry.stages import Stages
from tests.contracts.decisions import PLAN, decided, whole
from tests.contracts.front import FakeRedisLimiter
from tests.contracts.services import services_of

SHIPPER = ShipperConfig(linger_s=0.002, busy_linger_s=0.002, retry_s=0.01, max_retry_s=0.1)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class RecordingFront:
    """The app for one tenant at a time: `tenant`, whatever key is sent."""

    def __init__(self, app: DecisionsApp, log: DecisionLog) -> None:
        self.app = app
        self.log = log
        self.tenant = "acme"

    def client(self) -> httpx.AsyncClient:
        """Return a client of it."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://front", timeout=30
        )


@asynccontextmanager
async def recording_front(folder: Path, url: str) -> AsyncIterator[RecordingFront]:
    """Return an app over a log in `folder` and the database at `url`."""
    log = DecisionLog(folder, url, "writer", shipper=SHIPPER)
    await log.start()
    primary, _ = await open_pools(
        Settings(database_url=url, database_timeout_s=10.0)  # type: ignore[arg-type]
    )
    on_record = Records(primary, None, now_ms)

    async def decide(batch: TransactionBatch, patient: bool = False) -> Decisions:
        stages = Stages()
        # Decisions of different milliseconds, as ids of one are in no order.
        await asyncio.sleep(0.002)
        stages.lap(FEATURES)
        features, decisions = decided(batch, seed=len(batch.transaction_id[0]), at_ms=now_ms())
        decisions.stage_ms = stages.ms
        stages.votes(decisions.votes)
        stages.lap(COMBINE)
        await log.append([records(batch, features, decisions, PLAN)])
        stages.lap(LOG)
        return whole(decisions)

    async def authenticate(credential: str) -> Principal:
        return Principal("abcdefghijkm", front.tenant, "demo", frozenset(SCOPES))

    services = services_of(authenticate, on_record)
    gateway = Gateway(decide, RateLimits(FakeRedisLimiter(), "front"), GatewaySettings())
    app = DecisionsApp(gateway, authenticate, services.limits, build_rest(services))
    front = RecordingFront(app, log)
    try:
        yield front
    finally:
        await log.close()
        await primary.close()
