"""The parts behind the routes, of which a test brings its own keys, records and plans."""

from __future__ import annotations

import time
from typing import Any

from serve_app.gateway.simulations import Simulations
from serve_app.http.services import Authenticate, Services
from tests.contracts.decisions import PLAN
from tests.contracts.fake_plans import FakePlans


async def nothing(*_: Any) -> list[Any]:
    """Return nothing."""
    return []


def services_of(authenticate: Authenticate, records: Any, plans: Any = None) -> Services:
    """Return the parts behind the routes: no pools, and an active plan if none is brought."""
    plans = FakePlans(PLAN) if plans is None else plans
    return Services(
        authenticate=authenticate,
        records=records,
        plans=plans,
        simulations=Simulations(plans, nothing),  # type: ignore[arg-type]
        pools=nothing,
        ready=nothing,
        exposition=lambda: b"",
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
