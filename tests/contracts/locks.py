"""Advisory locks of PostgreSQL, seen from one who holds them."""

from __future__ import annotations

import asyncio
from typing import Any

_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def until_waiting(holder: Any, connections: int) -> None:
    """Wait until so many connections wait for an advisory lock.

    Raises:
        TimeoutError: they do not within 30 s.
    """
    async with asyncio.timeout(30):
        while await holder.fetchval(_WAITING) < connections:
            await holder.execute("SELECT pg_sleep(0.01)")
