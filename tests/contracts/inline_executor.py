"""An executor that calls functions in threads of this process, for tests that need no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class InlineExecutor:
    """Threads.

    Args:
        workers: functions that run at a time.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers
        self._places = asyncio.Semaphore(workers)

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """See `bulk.engine.workers.executor.Executor`."""
        async with self._places:
            return await asyncio.to_thread(function, *args)

    async def close(self) -> None:
        """See `bulk.engine.workers.executor.Executor`."""
