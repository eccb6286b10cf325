"""Units of work, tried a bounded number of times, across restarts."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import traceback
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from bulk.engine.workers.executor import Executor
from bulk.jobs.lease import Unit
from fraud.errors import (
    ArtifactRefused,
    Busy,
    InvalidInput,
    NotFound,
    QuorumError,
    SchemaMismatch,
    StoreUnavailable,
    Unavailable,
)

T = TypeVar("T")

ATTEMPTS: Final = 3
RETRY_S: Final = 2.0
OUTAGE_S: Final = 600.0
"""A store that does not answer is waited for so long; that is no attempt of the unit."""

_CERTAIN = (InvalidInput, NotFound, ArtifactRefused, SchemaMismatch)
"""Another attempt would end the same way."""

_FULL = (errno.ENOSPC, errno.EDQUOT)

_log = logging.getLogger(__name__)


class UnitFailed(QuorumError):
    """A unit of work has used up its attempts, or cannot succeed.

    Args:
        unit: which one, in words.
        detail: why, without values of cells.
        code: stable.
    """

    def __init__(self, unit: str, detail: str, code: str) -> None:
        super().__init__(unit, detail, code)
        self.unit = unit
        self.detail = detail
        self.code = code


class Attempts(Protocol):
    """Where attempts are on record: `bulk.jobs.lease.Lease`."""

    async def begin(self, unit: Unit, rows: int = 0) -> int:
        """Count an attempt. Returns how many there are."""
        ...

    async def failed(self, unit: Unit) -> None:
        """The attempts are used up."""
        ...


class Units:
    """Does units of work of one job.

    Args:
        attempts: on record.
        executor: does the work.
    """

    def __init__(self, attempts: Attempts, executor: Executor) -> None:
        self._attempts = attempts
        self._executor = executor
        self.under_way: set[Unit] = set()
        """Units that were begun and have not ended: what a shutdown interrupts."""

    async def do(self, unit: Unit, function: Callable[..., T], *args: object, rows: int = 0) -> T:
        """Return the result of a unit of work, after as many attempts as it takes.

        Args:
            unit: not under way yet.
            function, args: see `Executor.run`.
            rows: of the part.

        Raises:
            UnitFailed: it has used up its attempts, or cannot succeed.
            LeaseLost: see `bulk.jobs.lease.Lease`.
        """
        while True:
            attempt = await through_outages(lambda: self._attempts.begin(unit, rows))
            if attempt > ATTEMPTS:
                detail = f"it was begun {ATTEMPTS} times, and its process ended each time"
                raise await self._given_up(unit, detail, "interrupted")
            self.under_way.add(unit)
            error: Exception
            try:
                found = await through_outages(lambda: self._executor.run(function, *args))
            except Busy:
                raise
            except _CERTAIN as failed:
                raise await self._given_up(unit, reason_of(failed), code_of(failed)) from failed
            except Exception as failed:
                error = failed
            else:
                self.under_way.discard(unit)
                return found
            # Frames without the message, which may quote a cell.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.warning("%s, attempt %d: %s\n%s", _words(unit), attempt, reason_of(error), frames)
            if attempt >= ATTEMPTS:
                raise await self._given_up(unit, reason_of(error), code_of(error)) from error
            self.under_way.discard(unit)
            await asyncio.sleep(RETRY_S * attempt)

    async def _given_up(self, unit: Unit, detail: str, code: str) -> UnitFailed:
        self.under_way.discard(unit)
        await through_outages(lambda: self._attempts.failed(unit))
        return UnitFailed(_words(unit), detail, code)


async def through_outages(call: Callable[[], Awaitable[T]]) -> T:
    """Return what `call` returns, called again while a store does not answer, for `OUTAGE_S`."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + OUTAGE_S
    while True:
        try:
            return await call()
        except Unavailable as error:
            if loop.time() > until_s:
                raise
            kind = "PostgreSQL" if isinstance(error, StoreUnavailable) else "the store"
            _log.warning("waiting for %s: %s", kind, error)
            await asyncio.sleep(RETRY_S)


def _words(unit: Unit) -> str:
    return f"{unit.phase} of part {unit.part}" if unit.phase == "scoring" else str(unit.phase)


def reason_of(error: Exception) -> str:
    """Return why work failed, for the job's caller. Errors of others may quote a cell or a path."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)  # such as a full disk; Arrow's own words hold the path
    if not isinstance(error, QuorumError):
        return f"an unexpected error ({type(error).__name__}); the log of the runner has more"
    return str(getattr(error, "detail", None) or error)


def code_of(error: Exception) -> str:
    """Return the stable code of why work failed."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return "disk-full"
    if isinstance(error, Unavailable):
        return "store-unavailable"
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else "step-failed"
