"""Waiting for events elsewhere: in a thread, in another process, on a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0
"""Only a real failure waits this long: a busy machine alone does not."""


async def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Check every few milliseconds until `condition` holds.

    Raises:
        TimeoutError: it does not hold in time.
    """
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)
