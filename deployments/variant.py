"""Variant: one pool of replicas a model. Each is an application of its own, so that each scales,
fails and rolls out alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application

from artifacts.location import store_of
from deployments import metrics
from deployments.autoscaling import PROCESSORS, ROWS_IN_FLIGHT
from deployments.links.replica import open_links
from deployments.load import Load
from deployments.process import settle
from deployments.served_model import Description, ServedModel
from features.definitions import SCHEMA_ID
from fraud.batch import Float32, Float64
from fraud.score import VariantScores
from fraud.settings import Settings

T = TypeVar("T")

_INLINE_S = 0.003
"""Work up to this long is done on the replica's loop: votes are scored one after the other in any
case, and to hand one to a thread and back costs 0.07 ms of processor time."""


class VariantArgs(BaseModel):
    """Arguments of a variant's application.

    Attributes:
        variant: name of the variant, e.g. `xgboost`.
        artifact: what it serves: an alias such as `champion`, which is followed when it moves, or
            a version or digest, which stays.
    """

    model_config = ConfigDict(extra="forbid")

    variant: str
    artifact: str = "champion"


@serve.deployment(
    max_ongoing_requests=256,
    max_queued_requests=512,
    graceful_shutdown_timeout_s=10.0,
    graceful_shutdown_wait_loop_s=0.5,
    health_check_period_s=5.0,
    ray_actor_options={"num_cpus": 0.1},
)
class Variant:
    """A thin shell over ServedModel: threads, load and metrics.

    Args:
        variant, artifact: see VariantArgs.
    """

    # Serve awaits a constructor that is a coroutine.
    async def __init__(self, variant: str, artifact: str) -> None:  # type: ignore[misc]
        settings = Settings.load()
        self._variant = variant
        self._model = ServedModel(store_of(settings), variant, artifact, SCHEMA_ID)
        self._model.follow()
        # One thread for scores; contributions may take longer and must not hold up votes.
        self._scoring = ThreadPoolExecutor(1, "scoring")
        self._explaining = ThreadPoolExecutor(1, "explaining")
        self._load = Load()
        self._rows = metrics.VARIANT_ROWS.labels(variant)
        self._busy = metrics.VARIANT_BUSY.labels(variant)
        methods = {"score": self.score_now, "explain": self.explain_now}
        self._links = await open_links(settings.links, methods)
        settle()

    async def score(self, values: Float32, schema_id: str) -> VariantScores:
        """See `score_now`."""
        found = self.score_now(values, schema_id)
        return found if isinstance(found, VariantScores) else await found

    def score_now(
        self, values: Float32, schema_id: str
    ) -> VariantScores | Coroutine[Any, Any, VariantScores]:
        """Calibrated scores of float32[n, n_features]; something to await if they take a while.

        Raises:
            SchemaMismatch: the model was trained on other features.
        """
        scorer = self._model.scorer

        def work() -> VariantScores:
            began_s = time.perf_counter()
            scores = scorer.score(values, schema_id)
            self._busy.inc(time.perf_counter() - began_s)
            return VariantScores(scorer.version, scorer.digest, scores)

        if len(values) * scorer.row_seconds > _INLINE_S:
            return self._in_thread(self._scoring, len(values), work)
        with self._counted(len(values)):
            return work()

    async def explain(self, values: Float32, schema_id: str) -> Float64:
        """See `explain_now`."""
        found = self.explain_now(values, schema_id)
        return found if isinstance(found, np.ndarray) else await found

    def explain_now(
        self, values: Float32, schema_id: str
    ) -> Float64 | Coroutine[Any, Any, Float64]:
        """Log-odds that each feature added: float64[m, n_features]; something to await if they
        take a while.

        Raises:
            ArtifactRefused: this model gives no contributions.
            SchemaMismatch: the model was trained on other features.
        """
        scorer = self._model.scorer

        def work() -> Float64:
            return scorer.contributions(values, schema_id)

        if len(values) * scorer.explain_row_seconds > _INLINE_S:
            return self._in_thread(self._explaining, 0, work)
        with self._counted(0):
            return work()

    def describe(self) -> Description:
        """What this replica serves."""
        return self._model.describe()

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What LoadPolicy scales by. Serve asks now and then."""
        rows, processors = self._load.since_last()
        return {ROWS_IN_FLIGHT: rows, PROCESSORS: processors}

    def check_health(self) -> None:
        """Raises RuntimeError if the watch over the alias has died."""
        if not self._model.following:
            raise RuntimeError(f"variant {self._variant} no longer follows its alias")

    async def __del__(self) -> None:
        # The constructor may have failed half way: close what there is, links first.
        if hasattr(self, "_links"):
            await self._links.close()
        if hasattr(self, "_model"):
            await asyncio.to_thread(self._model.close)

    async def _in_thread(self, executor: ThreadPoolExecutor, rows: int, work: Callable[[], T]) -> T:
        with self._counted(rows):
            return await asyncio.get_running_loop().run_in_executor(executor, work)

    @contextmanager
    def _counted(self, rows: int) -> Iterator[None]:
        self._load.arrived(rows)
        try:
            yield
        except Exception as error:
            metrics.VARIANT_ERRORS.labels(self._variant, type(error).__name__).inc()
            raise
        finally:
            self._load.left(rows)
            self._rows.inc(rows)


def build(args: dict[str, Any]) -> Application:
    """The application of one variant: the import path in serve_config.yaml.

    Args:
        args: see VariantArgs.
    """
    wanted = VariantArgs.model_validate(args)
    application: Application = Variant.bind(wanted.variant, wanted.artifact)  # type: ignore[attr-defined]
    return application
