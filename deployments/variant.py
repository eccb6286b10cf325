"""Variant: the deployment of one variant's pool. Each is an application of its own, so that it
scales, fails and rolls out alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application

from deployments.autoscaling import PROCESSORS, ROWS_IN_FLIGHT
from deployments.garbage_collection import tune_garbage_collection
from deployments.links.replica import open_links
from features.definitions import SCHEMA_ID
from fraud.explanation import Explanation
from fraud.payment.batch import Float32
from fraud.score import VariantScores
from fraud.variant import HOUSE
from models.scoring.scorer import Scorer
from models.scoring.served_model import Description, ServedModel
from models.store.location import store_of
from settings.settings import Settings
from telemetry import metrics
from telemetry.load import Load
from telemetry.logs import log_to_replica

T = TypeVar("T")

_INLINE_S = 0.003
"""Work up to this long is done on the replica's event loop. Votes are scored one after the other in
any case, and a thread costs 0.07 ms of processor time for each."""


class VariantArgs(BaseModel):
    """Arguments of a variant's application.

    Attributes:
        variant: name of the variant, e.g. `xgboost`.
        artifact: what it serves: an alias such as `champion`, followed when it moves, or a fixed
            version or digest.
        owner: whose alias `artifact` is: a tenant; "" for the house.
    """

    model_config = ConfigDict(extra="forbid")

    variant: str
    artifact: str = "champion"
    owner: str = HOUSE


@serve.deployment(
    max_ongoing_requests=256,
    max_queued_requests=512,
    graceful_shutdown_timeout_s=10.0,
    graceful_shutdown_wait_loop_s=0.5,
    health_check_period_s=5.0,
    ray_actor_options={"num_cpus": 0.1},
)
class Variant:
    """A thin shell over ServedModel that adds threads, load and metrics.

    Args:
        variant, artifact, owner: see VariantArgs.
    """

    # Serve awaits a constructor that is a coroutine.
    async def __init__(  # type: ignore[misc]
        self, variant: str, artifact: str, owner: str = HOUSE
    ) -> None:
        log_to_replica()
        settings = Settings.load()
        self._model = ServedModel(store_of(settings), variant, artifact, SCHEMA_ID, owner)
        self._variant = self._model.name
        self._model.follow()
        # Contributions may take longer than scores, and must not hold up votes.
        self._scoring = ThreadPoolExecutor(1, "scoring")
        self._explaining = ThreadPoolExecutor(1, "explaining")
        self._load = Load()
        methods = {"score": self.score_now, "explain": self.explain_now}
        self._links = await open_links(settings, methods)
        tune_garbage_collection()

    async def score(self, values: Float32, schema_id: str) -> VariantScores:
        """See `score_now`."""
        scores = self.score_now(values, schema_id)
        return scores if isinstance(scores, VariantScores) else await scores

    def score_now(
        self, values: Float32, schema_id: str
    ) -> VariantScores | Coroutine[Any, Any, VariantScores]:
        """Return the calibrated scores of float32[n, n_features], or an awaitable of them if they
        take long.

        Raises:
            SchemaMismatch: the model was trained on other features.
        """
        scorer = self._model.scorer
        if len(values) * scorer.row_seconds > _INLINE_S:
            return self._score_in_thread(scorer, values, schema_id)
        with _Counted(self._load, self._variant, len(values)):
            scores, busy_s = _score(scorer, values, schema_id)
        metrics.tally.count(metrics.VARIANT_BUSY, busy_s, self._variant)
        return scores

    async def explain(self, values: Float32, schema_id: str) -> Explanation:
        """See `explain_now`."""
        explanation = self.explain_now(values, schema_id)
        return explanation if isinstance(explanation, Explanation) else await explanation

    def explain_now(
        self, values: Float32, schema_id: str
    ) -> Explanation | Coroutine[Any, Any, Explanation]:
        """Return the contributions to the scores of m rows, or an awaitable of them if they take
        long.

        Raises:
            ArtifactRefused: this model gives no contributions.
            SchemaMismatch: the model was trained on other features.
        """
        scorer = self._model.scorer

        def work() -> Explanation:
            return scorer.explain(values, schema_id)

        if len(values) * scorer.explain_row_seconds > _INLINE_S:
            return self._in_thread(self._explaining, 0, work)
        with _Counted(self._load, self._variant, 0):
            return work()

    def describe(self) -> Description:
        """Return what this replica serves."""
        return self._model.describe()

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Return the numbers that LoadPolicy scales by. Serve calls this regularly."""
        rows, processors = self._load.since_last()
        return {ROWS_IN_FLIGHT: rows, PROCESSORS: processors}

    def check_health(self) -> None:
        """Raise RuntimeError if the alias is no longer watched."""
        if not self._model.following:
            raise RuntimeError(f"variant {self._variant} no longer follows its alias")

    async def __del__(self) -> None:
        # The constructor may have failed half way: close what there is, links first.
        if hasattr(self, "_links"):
            await self._links.close()
        if hasattr(self, "_model"):
            await asyncio.to_thread(self._model.close)

    async def _score_in_thread(
        self, scorer: Scorer, values: Float32, schema_id: str
    ) -> VariantScores:
        work = partial(_score, scorer, values, schema_id)
        scores, busy_s = await self._in_thread(self._scoring, len(values), work)
        metrics.tally.count(metrics.VARIANT_BUSY, busy_s, self._variant)
        return scores

    async def _in_thread(self, executor: ThreadPoolExecutor, rows: int, work: Callable[[], T]) -> T:
        with _Counted(self._load, self._variant, rows):
            return await asyncio.get_running_loop().run_in_executor(executor, work)


class _Counted:
    """A block within which rows are in flight; errors that leave it are counted."""

    __slots__ = ("_load", "_rows", "_variant")

    def __init__(self, load: Load, variant: str, rows: int) -> None:
        self._load = load
        self._variant = variant
        self._rows = rows

    def __enter__(self) -> None:
        self._load.arrived(self._rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            metrics.VARIANT_ERRORS.labels(self._variant, type(error).__name__).inc()
        self._load.left(self._rows)
        metrics.tally.count(metrics.VARIANT_ROWS, self._rows, self._variant)
        metrics.tally.arm()


def _score(scorer: Scorer, values: Float32, schema_id: str) -> tuple[VariantScores, float]:
    """Return scores, and the seconds that they took."""
    began_s = time.perf_counter()
    scores = scorer.score(values, schema_id)
    return VariantScores(scorer.version, scorer.digest, scores), time.perf_counter() - began_s


def build(args: dict[str, Any]) -> Application:
    """Return the application of one variant: the import path in serve_config.yaml.

    Args:
        args: see VariantArgs.
    """
    wanted = VariantArgs.model_validate(args)
    application: Application = Variant.bind(  # type: ignore[attr-defined]
        wanted.variant, wanted.artifact, wanted.owner
    )
    return application
