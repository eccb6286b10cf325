"""FeatureFetch: the deployment that reads and updates window state, and learns labels."""

from __future__ import annotations

from datetime import UTC, datetime

from ray import serve

from deployments.garbage_collection import tune_garbage_collection
from deployments.links.replica import open_links
from features.service import FeatureService
from fraud.payment.batch import FeatureBatch, TransactionBatch
from settings.settings import Settings
from telemetry.logs import log_to_replica

LABELS_EVERY_S = 1.0
"""How often a replica looks for new labels. Replicas that look at the same time take turns."""


@serve.deployment(
    max_ongoing_requests=256,
    max_queued_requests=512,
    graceful_shutdown_timeout_s=10.0,
    graceful_shutdown_wait_loop_s=0.5,
    ray_actor_options={"num_cpus": 0.1},
)
class FeatureFetch:
    """A thin shell over `features.service.FeatureService`."""

    # Serve awaits a constructor that is a coroutine.
    async def __init__(self) -> None:  # type: ignore[misc]
        log_to_replica()
        settings = Settings.load()
        self._service = await FeatureService.connect(settings)
        self._service.feed_labels(LABELS_EVERY_S, lambda: datetime.now(UTC))
        tune_garbage_collection()
        names = ("fetch", "missed", "ready")
        methods = {name: getattr(self._service, name) for name in names}
        self._links = await open_links(settings, methods)

    async def fetch(self, batch: TransactionBatch, patient: bool = True) -> FeatureBatch:
        """See FeatureService.fetch."""
        return await self._service.fetch(batch, patient)

    async def missed(self, batch: TransactionBatch, ago_s: float) -> None:
        """See FeatureService.missed."""
        self._service.missed(batch, ago_s)

    async def ready(self) -> None:
        """See FeatureService.ready."""
        await self._service.ready()

    async def __del__(self) -> None:
        # The constructor may have failed half way: close what there is, links first.
        for name in ("_links", "_service"):
            part = getattr(self, name, None)
            if part is not None:
                await part.close()
