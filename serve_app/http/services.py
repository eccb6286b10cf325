"""The parts behind the routes, passed in so that routes run without Ray and without stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from serve_app.gateway.auth import Principal
from serve_app.gateway.jobs.jobs import Jobs
from serve_app.gateway.plans import Plans
from serve_app.gateway.pool import Pool
from serve_app.gateway.records import Records
from serve_app.gateway.search import DAY_MS
from serve_app.gateway.simulations import Simulations
from settings.settings import Settings

Authenticate = Callable[[str], Awaitable[Principal]]
"""API key -> its owner; raises Unauthenticated or StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What requests may contain; see `settings.settings.Settings`."""

    max_body_bytes: int = 256 * 1024
    max_batch_body_bytes: int = 1024 * 1024
    max_batch_rows: int = 1000
    max_future_s: int = 300
    max_past_days: int = 7

    @property
    def max_future_ms(self) -> int:
        """How far ahead of now a payment may lie, milliseconds."""
        return self.max_future_s * 1000

    @property
    def max_past_ms(self) -> int:
        """How long ago a payment may have happened, milliseconds."""
        return self.max_past_days * DAY_MS

    @classmethod
    def of(cls, settings: Settings) -> RequestLimits:
        """Return the limits among all settings."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonServices:
    """The parts behind the routes of every application.

    Attributes:
        authenticate: returns the owner of an API key, or raises.
        limits: what requests may contain.
    """

    authenticate: Authenticate
    limits: RequestLimits = field(default_factory=RequestLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(CommonServices):
    """The parts behind the routes of the application `decisions`.

    Attributes:
        records: decisions and labels on record.
        plans: plans of tenants and of the house.
        simulations: of plans on recorded decisions.
        pools: returns the pools of the variants as they are now.
        ready: returns once a decision can be made, raises if none can.
        exposition: returns the Prometheus text of this node; reads files, so it runs in a thread.
        now_ms: milliseconds since the epoch.
    """

    records: Records
    plans: Plans
    simulations: Simulations
    pools: Callable[[], Awaitable[list[Pool]]]
    ready: Callable[[], Awaitable[object]]
    exposition: Callable[[], bytes]
    now_ms: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobServices(CommonServices):
    """The parts behind the routes of the application `jobs`.

    Attributes:
        jobs: bulk scoring.
    """

    jobs: Jobs
