"""The Ray Serve composition as Ray's documentation shows it.

    python -m loadtests.bench.apps.docs --port 8101

A FastAPI ingress with handles to one deployment for features and one for each variant,
`@serve.batch` on the variants, default flags, on a Ray cluster of its own. It reads Quorum's
settings; DATABASE_URL and REDIS_URL must name stores of its own.
"""

# No `from __future__ import annotations`: Serve sends the routes to the replica by value, where
# FastAPI could not resolve annotations that are text.

import argparse
import asyncio
import logging
import signal
import tempfile
import threading
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import numpy as np
import ray
from fastapi import FastAPI, Header, Response
from ray import serve
from ray.serve.handle import DeploymentHandle
from redis.asyncio import Redis

from deciding.plans.table import active_of
from features.definitions import SCHEMA_ID
from features.service import FeatureService
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.plan import Plan
from loadtests.bench.apps import counters, models
from loadtests.bench.apps.access import Access, Refused
from loadtests.bench.apps.answer import answer
from loadtests.bench.apps.payment import Payment, to_batch
from loadtests.bench.apps.recorder import Recorder
from settings.settings import Settings

_LABELS_EVERY_S = 1.0
_MOST_ONGOING = 256
"""The default of five would refuse most of the requests of this benchmark."""

app = FastAPI(openapi_url=None)


@serve.deployment(max_ongoing_requests=_MOST_ONGOING)
class Features:
    """Reads and updates the history of customers."""

    async def __init__(self) -> None:  # type: ignore[misc]
        self._service = await FeatureService.connect(Settings.load())
        self._service.feed_labels(_LABELS_EVERY_S, lambda: datetime.now(UTC))

    async def fetch(self, batch: TransactionBatch) -> FeatureBatch:
        """See `FeatureService.fetch`."""
        return await self._service.fetch(batch)


@serve.deployment(max_ongoing_requests=_MOST_ONGOING)
class Model:
    """A variant.

    Args:
        variant: the name of the variant.
    """

    def __init__(self, variant: str) -> None:
        self._scorer = models.load(Settings.load(), variant)

    @serve.batch(max_batch_size=32)
    async def _score(self, rows: list[Float32]) -> list[float]:
        scores = self._scorer.score(np.concatenate(rows), SCHEMA_ID)
        return [float(score) for score in scores]

    async def score(self, row: Float32) -> float:
        """Return the score of float32[1, n_features]."""
        return float(await self._score(row))

    def explain(self, row: Float32) -> Explanation:
        """Return the contributions of the features of float32[1, n_features]."""
        return self._scorer.explain(row, SCHEMA_ID)

    def version(self) -> tuple[str, str]:
        """Return version and digest of the artifact."""
        return self._scorer.version, self._scorer.digest


@serve.deployment(max_ongoing_requests=_MOST_ONGOING)
@serve.ingress(app)
class Ingress:
    """Authenticates, calls features and variants, and answers.

    Args:
        features: handle to Features.
        variants: variant -> handle to its Model.
        document: the document of the plan.
    """

    async def __init__(  # type: ignore[misc]
        self,
        features: DeploymentHandle[Any],
        variants: dict[str, DeploymentHandle[Any]],
        document: dict[str, Any],
    ) -> None:
        settings = Settings.load()
        assert settings.database_url is not None
        assert settings.redis_url is not None
        assert settings.key_pepper is not None
        pool = await asyncpg.create_pool(
            settings.database_url.get_secret_value(), min_size=1, max_size=4
        )
        redis = Redis.from_url(settings.redis_url.get_secret_value())
        self._access = Access(pool, redis, settings.key_pepper.get_secret_value())
        self._recorder = Recorder(pool)
        self._features = features
        self._variants = variants
        self._plan = Plan.from_document(document)
        self._versions = {name: await handle.version.remote() for name, handle in variants.items()}

    @app.post("/v1/decisions")
    async def decide(
        self, payment: Payment, x_api_key: Annotated[str, Header(alias="X-API-Key")] = ""
    ) -> Response:
        """Decide on one payment."""
        began_s = time.perf_counter()
        try:
            tenant = await self._access.admit(x_api_key)
        except Refused as refused:
            return Response(b'{"title":"refused"}', refused.status)
        batch = to_batch([payment], tenant)
        features: FeatureBatch = await self._features.fetch.remote(batch)
        pending = [handle.score.remote(features.values) for handle in self._variants.values()]
        found = await asyncio.gather(*pending)
        scores = {
            name: np.array([score]) for name, score in zip(self._variants, found, strict=True)
        }
        decided = models.combined(self._plan, batch, features, scores, self._versions)
        if decided.outcome[0]:
            explainer = self._variants[models.EXPLAINER]
            found = await explainer.explain.remote(features.values)
            models.explain(self._plan, batch, features, decided, [0], found)
        await self._recorder.put(batch, features, decided)
        counters.observe(decided, time.perf_counter() - began_s)
        return Response(answer(decided, 0), media_type="application/json")

    @app.get("/health")
    async def health(self) -> dict[str, bool]:
        """Answer that the app is running."""
        return {"ok": True}


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench.apps.docs")
    parser.add_argument("--port", type=int, default=8101)
    options = parser.parse_args()
    plan = active_of(Settings.load())
    if plan is None:
        raise ValueError("DATABASE_URL must be set, and a plan be active")
    over = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: over.set())
    # Short: it holds sockets, whose paths are limited.
    with tempfile.TemporaryDirectory(prefix="qb-", dir="/tmp") as folder:
        ray.init(
            "local",
            num_cpus=16,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            _temp_dir=folder,
        )
        try:
            serve.start(http_options={"host": "127.0.0.1", "port": options.port})
            variants = {
                name: Model.options(name=name).bind(name)  # type: ignore[attr-defined]
                for name in plan.variants
            }
            serve.run(Ingress.bind(Features.bind(), variants, plan.to_document()))  # type: ignore[attr-defined]
            over.wait()
            serve.shutdown()  # type: ignore[no-untyped-call]
        finally:
            ray.shutdown()


if __name__ == "__main__":
    # Imported by name, because replicas cannot import `__main__`.
    from loadtests.bench.apps import docs

    docs.main()
