"""What the routes work with: handed in, so that they run without Ray and without stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fraud.plan import Plan
from serve_app.gateway.auth import Principal
from serve_app.gateway.labelling import Claim, Kept, Verdict
from serve_app.gateway.search import Search
from serve_app.http.wire.schemas import DecisionsOut, KeptDecisionOut, LabelOut


@dataclass(frozen=True, slots=True)
class Pool:
    """A variant's pool of replicas.

    Attributes:
        variant: its name.
        app_status: as Ray Serve reports it.
        running, starting: replicas.
        version: artifact version that a replica reports; None if none answered.
    """

    variant: str
    app_status: str
    running: int
    starting: int
    version: str | None


class Ledger(Protocol):
    """What routes ask the system of record; `serve_app.gateway.records.Records` in production."""

    async def decision(self, tenant: str, decision_id: str) -> KeptDecisionOut: ...

    async def label(
        self, tenant: str, decision_id: str, verdict: Verdict
    ) -> tuple[LabelOut, bool]: ...

    async def labels(self, tenant: str, claims: Sequence[Claim]) -> list[Kept]: ...

    async def decisions(self, tenant: str, search: Search) -> DecisionsOut: ...

    async def active_plan(self) -> Plan | None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind the routes.

    Attributes:
        authenticate: (X-API-Key, Authorization) -> Principal, or raises.
        ledger: the system of record.
        pools: the variants' pools as they are now.
        ready: returns once a decision can be made, raises if not.
        exposition: Prometheus text of this node; reads files, so it is called in a thread.
        now_ms: milliseconds since the epoch.
        max_body_bytes, max_batch_body_bytes, max_batch_rows, max_future_s, max_past_days: see
            `settings.settings.Settings`.
    """

    authenticate: Callable[[bytes | None, bytes | None], Awaitable[Principal]]
    ledger: Ledger
    pools: Callable[[], Awaitable[list[Pool]]]
    ready: Callable[[], Awaitable[object]]
    exposition: Callable[[], bytes]
    now_ms: Callable[[], int]
    max_body_bytes: int = 256 * 1024
    max_future_s: int = 300
    max_batch_body_bytes: int = 1024 * 1024
    max_batch_rows: int = 1000
    max_past_days: int = 3650
