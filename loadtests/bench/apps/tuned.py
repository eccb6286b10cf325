"""One machine without Ray, written for speed: FastAPI on uvicorn.

    python -m loadtests.bench.apps.tuned --port 8100 --workers 2

uvloop and httptools, redis.asyncio, asyncpg, the models in the process, each request on its own,
records inserted in the background. It reads Quorum's settings; DATABASE_URL and REDIS_URL must name
stores of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import uvicorn
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from redis.asyncio import Redis

from deciding.plans.versions import read_active
from features.service import FeatureService
from fraud.decision import DecisionBatch
from fraud.payment.batch import TransactionBatch
from fraud.plan import Plan
from fraud.variant import HOUSE
from loadtests.bench.apps import counters, models
from loadtests.bench.apps.access import Access, Refused
from loadtests.bench.apps.answer import answer, answers
from loadtests.bench.apps.payment import Payment, Payments, to_batch
from loadtests.bench.apps.recorder import Recorder
from settings.settings import Settings

_JSON = "application/json"
_LABELS_EVERY_S = 1.0


class Decisions:
    """Everything a process needs to decide. `connect` makes one."""

    def __init__(
        self, pool: Any, redis: Any, features: FeatureService, plan: Plan, settings: Settings
    ) -> None:
        assert settings.key_pepper is not None
        self.access = Access(pool, redis, settings.key_pepper.get_secret_value())
        self._pool = pool
        self._redis = redis
        self._features = features
        self._plan = plan
        self._scorers = models.load_all(settings, plan)
        if self._scorers[models.EXPLAINER].explains:
            self._scorers[models.EXPLAINER].prepare_contributions()
        self._recorder = Recorder(pool)

    @classmethod
    async def connect(cls, settings: Settings) -> Decisions:
        """Connect to the stores that the settings name.

        Raises:
            ValueError: a URL is not set, or no plan is active.
        """
        if settings.database_url is None or settings.redis_url is None:
            raise ValueError("DATABASE_URL and REDIS_URL must be set")
        pool = await asyncpg.create_pool(
            settings.database_url.get_secret_value(), min_size=1, max_size=4
        )
        active = await read_active(pool, HOUSE)
        if active is None:
            raise ValueError("no plan is active")
        redis = Redis.from_url(settings.redis_url.get_secret_value())
        features = await FeatureService.connect(settings)
        features.feed_labels(_LABELS_EVERY_S, lambda: datetime.now(UTC))
        return cls(pool, redis, features, active.plan(), settings)

    async def decide(self, batch: TransactionBatch) -> DecisionBatch:
        """Decide on a batch and queue its records."""
        features = await self._features.fetch(batch)
        decided = models.decide(self._plan, batch, features, self._scorers)
        await self._recorder.put(batch, features, decided)
        return decided

    async def close(self) -> None:
        """Write queued records and close every connection."""
        await self._recorder.close()
        await self._features.close()
        await self._redis.aclose()
        await self._pool.close()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.decisions = await Decisions.connect(Settings.load())
    # Objects made at start-up stay, so the collector need not visit them again.
    gc.collect()
    gc.freeze()
    yield
    await app.state.decisions.close()


app = FastAPI(lifespan=_lifespan, openapi_url=None)

ApiKey = Annotated[str, Header(alias="X-API-Key")]


@app.post("/v1/decisions")
async def decide(payment: Payment, request: Request, x_api_key: ApiKey = "") -> Response:
    """Decide on one payment."""
    began_s = time.perf_counter()
    decisions: Decisions = request.app.state.decisions
    tenant = await decisions.access.admit(x_api_key)
    decided = await decisions.decide(to_batch([payment], tenant))
    counters.observe(decided, time.perf_counter() - began_s)
    return Response(answer(decided, 0), media_type=_JSON)


@app.post("/v1/decisions/batch")
async def decide_batch(payments: Payments, request: Request, x_api_key: ApiKey = "") -> Response:
    """Decide on many payments."""
    began_s = time.perf_counter()
    decisions: Decisions = request.app.state.decisions
    tenant = await decisions.access.admit(x_api_key, len(payments.transactions))
    decided = await decisions.decide(to_batch(payments.transactions, tenant))
    counters.observe(decided, time.perf_counter() - began_s)
    return Response(answers(decided), media_type=_JSON)


@app.get("/health")
async def health() -> dict[str, bool]:
    """Answer that the app is running."""
    return {"ok": True}


@app.get("/metrics")
async def metrics() -> Response:
    """Return the Prometheus metrics."""
    return Response(await asyncio.to_thread(counters.exposition), media_type="text/plain")


@app.exception_handler(Refused)
async def refused(_: Request, error: Refused) -> Response:
    """Answer 401, 403 or 429."""
    counters.REQUESTS.labels(str(error.status)).inc()
    return Response(b'{"title":"refused"}', error.status, media_type="application/problem+json")


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError) -> Response:
    """Answer 400 with the fields that are wrong, never with a value."""
    counters.REQUESTS.labels("400").inc()
    places = [".".join(map(str, found["loc"])) for found in error.errors()]
    body = json.dumps({"title": "invalid", "errors": places}).encode()
    return Response(body, 400, media_type="application/problem+json")


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.apps.tuned")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    uvicorn.run(
        "loadtests.bench.apps.tuned:app",
        port=options.port,
        workers=options.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
