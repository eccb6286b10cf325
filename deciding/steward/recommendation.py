"""The program that makes a canary's report and says what it recommends, see `Recommender`:

python -m deciding.steward.recommendation <request.json
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

from deciding.steward.recommender import Request
from experiments.reading.reader import Wanted, read
from experiments.report import report
from experiments.sides import Side
from fraud.errors import NotFound
from settings.settings import Settings
from stores.postgres.connect import connection


async def recommendation(session: Any, request: Request, now: datetime) -> str | None:
    """Make a report.

    Args:
        session: a connection of asyncpg.
        now: the time of the look.

    Returns:
        `promote`, `hold` or `not yet`; None if the canary, or its baseline, decided nothing.
    """
    since = datetime.fromisoformat(request.since)
    wanted = Wanted(request.tenant, request.plan, since, now)
    async with session.transaction(isolation="repeatable_read", readonly=True):
        found = await read(session, wanted)
    try:
        made = report(found, wanted)
    except NotFound:
        return None
    comparison = made.comparison(Side("arm", request.arm))
    return None if comparison is None else comparison.recommendation.decision


async def _main(request: Request) -> None:
    settings = Settings.load()
    replica, primary = settings.database_replica_url, settings.database_url
    url = primary if replica is None else replica
    if url is None:
        raise ValueError("DATABASE_URL must be set")
    async with connection(
        url.get_secret_value(),
        variable="DATABASE_URL" if replica is None else "DATABASE_REPLICA_URL",
        name="quorum-report",
        writes=False,
    ) as session:
        found = await recommendation(session, request, datetime.now(UTC))
    sys.stdout.write(json.dumps({"recommendation": found}))


if __name__ == "__main__":
    asyncio.run(_main(Request(**json.load(sys.stdin))))
