"""Ingress: the deployment that serves HTTP. A thin shell that assembles a DecisionsApp."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import asyncpg
from ray import serve
from ray.serve.handle import DeploymentHandle

from deciding.plans.stored_models import StoredModels
from deployments.garbage_collection import tune_garbage_collection
from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name
from deployments.links.replica import switchboard_of
from features.definitions import SCHEMA_ID
from fraud.errors import Unavailable
from models.store.location import store_of
from serve_app.combiner_client import CombinerClient
from serve_app.database import open_pools
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.key_changes import KeyChanges
from serve_app.gateway.plans import Plans
from serve_app.gateway.pool import Pool
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.redis import RedisLimiter
from serve_app.gateway.records import Records
from serve_app.gateway.simulations import Simulations
from serve_app.http.asgi import DecisionsApp
from serve_app.http.express import open_lane
from serve_app.http.rest import build_rest
from serve_app.http.services import RequestLimits, Services
from serve_app.pools import PoolBoard
from serve_app.simulation_process import SimulationProcess
from settings.settings import Settings
from stores.redis.connection import RedisConnection
from telemetry.exposition import exposition, name_schema
from telemetry.logs import log_to_replica

_WARM_UP_S = 5.0
MAX_LIMIT_WAIT_MS = 100
"""Longest wait for Redis to count the rows of a micro-batch."""


def now_ms() -> int:
    """Return milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@serve.deployment(
    # Saturating this would put Serve's probes and back-off on the hot path: the coalescer's bound
    # and the request timeout are the limits.
    max_ongoing_requests=4096,
    graceful_shutdown_timeout_s=15.0,
    graceful_shutdown_wait_loop_s=0.5,
    # A dead replica is replaced after at most this long; until then there is the other one.
    health_check_period_s=2.0,
    ray_actor_options={"num_cpus": 0.2},
)
@serve.ingress()
class Ingress:
    """The HTTP front end.

    Args:
        combiner: handle of Combiner.
    """

    def __init__(self, combiner: DeploymentHandle[Any]) -> None:
        # Built once: building a handle costs more than a call over it.
        log_to_replica()
        self._switchboard = switchboard_of(Settings.load())
        self._combiner = CombinerClient(
            LinkedMethod.on(self._switchboard, combiner, "decide"),
            LinkedMethod.on_this_machine(self._switchboard, combiner, "ready"),
        )
        self._pool = pool_name(combiner.app_name, combiner.deployment_name)

    async def __serve_build_asgi_app__(self) -> DecisionsApp:
        """Build the app in the replica: nothing of it is ever pickled. Serve calls this once, after
        the constructor, and runs the app's lifespan."""
        settings = Settings.load()
        if settings.key_pepper is None:
            raise ValueError("QUORUM_KEY_PEPPER must be set")
        await self._switchboard.start()
        await self._switchboard.watch(self._pool)
        # The first call opens connections: no payment should wait for that. It may fail while the
        # combiner is still starting; readiness is reported by `/v2/health/ready`.
        with suppress(Exception):
            await asyncio.wait_for(self._combiner.ready(), _WARM_UP_S)
        primary, replica = await open_pools(settings)
        records = Records(primary, replica, now_ms)
        authenticator = Authenticator(records.key, settings.key_pepper.get_secret_value())
        key_changes = KeyChanges(records.changed_keys, authenticator.check_again)
        key_changes.start()

        if settings.redis_url is None:
            raise ValueError("REDIS_URL must be set")
        # Small: while Redis does not answer, limits are enforced locally.
        patience_ms = min(settings.redis_timeout_ms, MAX_LIMIT_WAIT_MS)
        redis = RedisConnection(settings.redis_url.get_secret_value(), patience_ms)
        limits = RateLimits(RedisLimiter(redis), name=uuid4().hex)
        limits.start()

        @asynccontextmanager
        async def lifespan(_: object) -> AsyncIterator[None]:
            yield
            await key_changes.close()
            await limits.close()
            await self._switchboard.close()
            for pool in (primary, replica):
                if pool is not None:
                    pool.terminate()

        async def ready() -> object:
            if settings.leaving.exists():
                raise Unavailable("this node is leaving")
            return await self._combiner.ready()

        name_schema(SCHEMA_ID)
        pools = PoolBoard().pools
        plans = _plans(settings, primary, pools)
        services = Services(
            authenticate=authenticator.authenticate,
            records=records,
            plans=plans,
            simulations=Simulations(plans, SimulationProcess(settings.home)),
            pools=pools,
            ready=ready,
            exposition=exposition,
            now_ms=now_ms,
            limits=RequestLimits.of(settings),
        )
        gateway = Gateway(
            self._combiner.decide,
            limits,
            GatewaySettings.of(settings),
            # Without links Serve's handle spreads the calls over an unknown number of replicas.
            # One of several is a spare that gets no lane; with one lane it only waits.
            combiners=lambda: max(1, self._switchboard.size(self._pool) - 1),
        )
        app = DecisionsApp(
            gateway,
            authenticator.authenticate,
            services.limits,
            build_rest(services, lifespan),
            now_ms=now_ms,
            # Serve's own middleware puts X-Request-ID on every answer.
            adds_request_id=False,
        )
        open_lane(app.express)
        tune_garbage_collection()
        return app


def _plans(
    settings: Settings, pool: asyncpg.Pool, pools: Callable[[], Awaitable[list[Pool]]]
) -> Plans:
    """Return the plans of all tenants; those of the home tenant are the house's."""
    models = StoredModels(store_of(settings), settings.home_tenant)
    return Plans(pool, settings.owner_of, models, SCHEMA_ID, pools)
