"""Combiner: the deployment that decides. It gets features and votes, and keeps the record."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from deciding.decider import Decider
from deciding.explainer import Explainer
from deciding.fan_out import FanOut
from deciding.feature_client import FeatureClient
from deciding.plans.active import PlanFeed
from deciding.plans.local_copy import LocalCopy
from deciding.plans.reader import ActiveRow, PlanReader
from deciding.plans.versions import read_document
from deciding.shadows import ShadowRunner
from deciding.steward.recommender import Recommender
from deciding.steward.steward import Steward
from deciding.steward.table import StewardTable
from deciding.steward.watch import LOCK, StewardWatch
from decision_log.log import LONGEST_DATABASE_WAIT_S, DecisionLog
from decision_log.readers.arm_counts import ArmCountsReader
from decision_log.readers.drift_gauges import DriftWatch
from decision_log.shadows.writer import ShadowWriter
from deployments.garbage_collection import tune_garbage_collection
from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name
from deployments.links.replica import open_links, switchboard_of
from deployments.readiness import Readiness
from deployments.variant_pools import VariantPools
from features.definitions import NAMES
from features.reason_columns import reason_writer
from fraud.decision import Decisions
from fraud.errors import InvalidInput
from fraud.payment.batch import TransactionBatch
from fraud.plan import Plan
from models.store.location import store_of
from models.store.origin import origin_of
from settings.settings import Settings
from stores.postgres.leader import Leadership
from telemetry.logs import log_to_replica

logger = logging.getLogger(__name__)

_FETCH_MARGIN_MS = 100
_READY_S = 0.4


_CLOSED_IN_ORDER = (
    *("_links", "_drift", "_steward", "_shadows", "_shadow_writer", "_pools", "_switchboard"),
    *("_feed", "_reader", "_log"),
)


@serve.deployment(
    max_ongoing_requests=256,
    max_queued_requests=512,
    # Longer than the log takes to drain: what is durable here should reach PostgreSQL first.
    graceful_shutdown_timeout_s=20.0,
    graceful_shutdown_wait_loop_s=0.5,
    health_check_period_s=2.0,
    ray_actor_options={"num_cpus": 0.2},
)
class Combiner:
    """A thin shell that puts a Decider and its parts together.

    Args:
        features: handle on FeatureFetch.
    """

    # Serve awaits a constructor that is a coroutine.
    async def __init__(self, features: DeploymentHandle[Any]) -> None:  # type: ignore[misc]
        log_to_replica()
        settings = Settings.load()
        if settings.database_url is None:
            raise ValueError("DATABASE_URL must be set")
        url = settings.database_url.get_secret_value()
        self._reader = PlanReader(url, settings.database_timeout_s)
        copy = LocalCopy(settings.home / "active_plan.json")
        self._switchboard = switchboard_of(settings)
        await self._switchboard.start()
        await self._switchboard.watch(pool_name(features.app_name, features.deployment_name))
        self._pools = VariantPools(self._wanted, self._switchboard)
        self._feed = PlanFeed(self._changes, copy=copy, home=settings.home_tenant)
        self._reader.announced = self._feed.wake
        await self._feed.start()
        await self._pools.start()
        replica = serve.get_replica_context().replica_id.unique_id
        wait_s = _database_wait_s(settings)
        self._log = DecisionLog(settings.home / "wal", url, replica, database_wait_s=wait_s)
        await self._log.start()
        self._shadow_writer = ShadowWriter(url, settings.database_timeout_s)
        self._shadow_writer.start()
        self._shadows = ShadowRunner(
            FanOut(self._pools), self._shadow_writer, is_busy=lambda: self._decider.is_busy
        )
        self._features_ready = LinkedMethod.on_this_machine(self._switchboard, features, "ready")
        self._decider = Decider(
            self._plan_for,
            FeatureClient(
                LinkedMethod.on(self._switchboard, features, "fetch"),
                LinkedMethod.on(self._switchboard, features, "missed"),
                # Rows may wait for a history twice: for one under way, and for their own.
                settings.redis_timeout_ms + 2 * settings.rebuild_wait_ms + _FETCH_MARGIN_MS,
            ),
            FanOut(self._pools),
            Explainer(self._pools.explainer, reason_writer(NAMES)),
            self._log,
            self._shadows,
            reach_database=self._log.reach_database if wait_s else None,
        )
        self._drift = _drift_watch(settings, url, self._feed)
        if settings.drift_interval_s:
            self._drift.start()
        self._steward = _steward_watch(settings, url, self._feed)
        if settings.steward_interval_s:
            self._steward.start()
        tune_garbage_collection()
        self._links = await open_links(
            settings, {"decide": self._decider.decide, "ready": self.ready}
        )

    async def decide(self, batch: TransactionBatch, patient: bool = True) -> Decisions:
        """See Decider.decide."""
        return await self._decider.decide(batch, patient)

    async def ready(self) -> Readiness:
        """Return whether decisions can be made now."""
        problems = []
        active = self._feed.current
        if active is None:
            problems.append("no plan has been loaded")
        lag = self._log.lag()
        if not lag.healthy:
            problems.append(f"the decision log accepts no records: {lag.reason}")
        if self._pools.missing:
            # A client that waits for a deployment calls this: look now, not at the next interval.
            await asyncio.wait([asyncio.create_task(self._pools.refresh())], timeout=_READY_S)
        try:
            await asyncio.wait_for(self._features_ready(), _READY_S)
        except Exception as error:  # of any kind
            problems.append(f"features do not answer: {type(error).__name__}")
        return Readiness(
            ready=not problems,
            problems=tuple(problems),
            missing=self._pools.missing,
            plan="" if active is None else active.plan.name,
            plan_version=0 if active is None else active.plan.version,
            plan_kept=active is not None and active.is_local,
            troubles=_troubles(self._reader.trouble, lag.exposed, lag.at_risk_rows),
        )

    def check_health(self) -> None:
        """Raise RuntimeError if a background task has stopped, so that Serve starts another
        replica. A full disk or a dead PostgreSQL is no reason for that."""
        watched = {
            "plan": self._feed.alive,
            "pools": self._pools.alive,
            "links": self._switchboard.alive,
            "log": self._log.alive,
        }
        dead = [name for name, alive in watched.items() if not alive]
        if dead:
            raise RuntimeError(f"stopped: {', '.join(dead)}")

    async def __del__(self) -> None:
        # The constructor may have failed half way: close what there is, links first.
        for name in _CLOSED_IN_ORDER:
            part = getattr(self, name, None)
            if part is not None:
                await part.close()

    def _plan_for(self, tenant: str) -> Plan | None:
        active = self._feed.current_for(tenant)
        return None if active is None else active.plan

    async def _changes(self, revisions: Mapping[str, str]) -> Sequence[ActiveRow]:
        """See `PlanReader.changes`. The pools of new plans are found before they decide, so that
        their first payments do not miss votes."""
        rows = await self._reader.changes(revisions)
        await self._pools.prepare(_variants_in(rows))
        return rows

    def _wanted(self) -> tuple[str, ...]:
        return self._feed.variants


def _database_wait_s(settings: Settings) -> float:
    """Return how long an answer waits for PostgreSQL at most; 0: not at all."""
    if settings.log_durability == "disk":
        return 0.0
    return min(LONGEST_DATABASE_WAIT_S, settings.request_timeout_ms / 4000)


def _troubles(plans: str, exposed: str | None, rows: int) -> tuple[str, ...]:
    """Return the failures that do not stop decisions: of reading plans, and of shipping records."""
    log = f"{rows} records are on this machine's disk alone: {exposed}" if exposed else ""
    return tuple(trouble for trouble in (plans, log) if trouble)


def _variants_in(rows: Sequence[ActiveRow]) -> set[str]:
    """Return the variants that the plans of some rows may ask."""
    found: set[str] = set()
    for row in rows:
        if row.document is not None:
            # What cannot be read is the feed's to tell.
            with suppress(InvalidInput):
                found.update(read_document(json.loads(row.document)).variants)
    return found


def _drift_watch(settings: Settings, url: str, feed: PlanFeed) -> DriftWatch:
    """Return the drift watch over all decisions on record."""
    source, variable = _read_from(settings, url)

    def plans() -> dict[str, Plan]:
        return {owner: active.plan for owner, active in feed.active.items()}

    return DriftWatch(
        source,
        settings.tenant,
        plans,
        lambda plan: origin_of(plan, store_of(settings)),
        settings.drift_interval_s,
        settings.database_timeout_s,
        variable=variable,
    )


def _steward_watch(settings: Settings, url: str, feed: PlanFeed) -> StewardWatch:
    """Return the steward's watch over the active plans of all owners."""
    source, variable = _read_from(settings, url)
    timeout_s = settings.database_timeout_s

    def plans() -> dict[str, Plan]:
        return {owner: one.plan for owner, one in feed.active.items() if not one.is_local}

    table = StewardTable(url, timeout_s, settings.tenant)
    return StewardWatch(
        Steward(
            plans,
            table,
            ArmCountsReader(source, timeout_s, variable),
            Recommender(table.beside_baseline_since, settings.tenant).recommend,
        ),
        Leadership(url, LOCK, timeout_s),
        settings.steward_interval_s,
    )


def _read_from(settings: Settings, url: str) -> tuple[str, str]:
    """Return the PostgreSQL for reading in the background, and the setting with its address."""
    replica = settings.database_replica_url
    if replica is None:
        return url, "DATABASE_URL"
    return replica.get_secret_value(), "DATABASE_REPLICA_URL"
