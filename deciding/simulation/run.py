"""Simulations of what is on record in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

from deciding.simulation.models import ArtifactModels
from deciding.simulation.result import Result
from deciding.simulation.simulation import Simulation
from deciding.simulation.votes import ABSENT
from decision_log.readers.recorded_decisions import RecordedDecisions, newest_decisions
from fraud.plan import Plan
from stores.postgres.connect import connection

MOST_DECISIONS = 1_000_000
"""Bounds the memory of a simulation: some fifty bytes a decision."""


async def simulate(
    database_url: str,
    tenant: str,
    plan: Plan,
    last: int,
    models: ArtifactModels | None,
    *,
    asks: str = ABSENT,
    limit_s: float | None = None,
) -> Result:
    """Simulate a plan on the newest decisions of a tenant, in bounded memory.

    Args:
        database_url: PostgreSQL; a read replica will do.
        last: how many decisions, at most `MOST_DECISIONS`.
        models, asks: see `Simulation`.
        limit_s: reads no further after this time; None: reads all.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    began_s = time.monotonic()
    now = datetime.now(UTC)
    simulation = Simulation(plan, models, asks)
    read, is_complete = 0, True
    async with (
        connection(database_url, name="quorum-simulation", writes=False) as session,
        session.transaction(isolation="repeatable_read", readonly=True),
    ):
        parts: AsyncIterator[RecordedDecisions] = newest_decisions(session, tenant, last, now)
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                await asyncio.to_thread(simulation.add, part)
                read += len(part)
                if limit_s is not None and time.monotonic() - began_s > limit_s:
                    is_complete = read >= last
                    break
    return simulation.result(tenant, last, round(now.timestamp() * 1000), is_complete=is_complete)
