"""The poll loop: one function, run again and again for as long as a process lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fraud.errors import StoreUnavailable

_log = logging.getLogger(__name__)


class Wait(NamedTuple):
    """Returned by a turn to set the wait before the next one."""

    seconds: float


class Poll:
    """Runs a function every so many seconds. Nothing that it raises ends the polling.

    A failure is logged when it begins and when it is over, not at every turn: an outage of an hour
    is two lines.

    Args:
        name: what is polled; it names the task and begins the log lines, e.g. "drift".
        step: one turn. Its result is ignored, unless it is a `Wait`.
        interval_s: seconds between the end of a turn and the beginning of the next.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[object]], interval_s: float) -> None:
        self._name = name
        self._step = step
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._failing = False

    def start(self, after_s: float | None = 0.0) -> None:
        """Poll until `close`. Starting again changes nothing.

        Args:
            after_s: seconds until the first turn; None: it waits for `wake`.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._run(after_s), name=self._name)

    def start_later(self) -> None:
        """Like `start`, but the first turn is one interval away."""
        self.start(self._interval_s)

    def wake(self) -> None:
        """Begin the next turn now, or as soon as the present one is over."""
        self._wake.set()

    @property
    def alive(self) -> bool:
        """Whether it is polling."""
        return self._task is not None and not self._task.done()

    async def close(self) -> None:
        """Stop, in the middle of a turn if need be. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, after_s: float | None) -> None:
        await self._pause(after_s)
        while True:
            self._wake.clear()
            await self._pause(await self._turn())

    async def _turn(self) -> float:
        """Run one turn. Returns the seconds until the next one."""
        try:
            found = await self._step()
        except Exception as error:  # of any kind: the next turn may succeed
            if not self._failing:
                known = isinstance(error, StoreUnavailable)
                _log.warning("%s fails: %s", self._name, error, exc_info=not known)
            self._failing = True
            return self._interval_s
        if self._failing:
            _log.warning("%s works again", self._name)
        self._failing = False
        return found.seconds if isinstance(found, Wait) else self._interval_s

    async def _pause(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
