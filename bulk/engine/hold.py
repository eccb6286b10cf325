"""Work under a lease: it goes on while the lease is renewed and nobody wants it to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from bulk.jobs.cancelled import Cancelled
from fraud.errors import LeaseLost, StoreUnavailable

T = TypeVar("T")

BEAT_S = 1.0
"""Seconds between renewals: so fresh is the progress in the table, and so soon is it noticed that
a job is cancelled."""

_SAFE = 0.8
"""Share of the lease after which work stops if it could not be renewed."""


_SILENT = 0.2
"""Share of the lease that one renewal may take: a connection may be dead without an error."""


class Renewable(Protocol):
    """What is held: `bulk.jobs.lease.Lease`."""

    lease_s: float

    async def renew(self, rows_per_s: float | None) -> bool:
        """Hold it longer. Returns whether the caller wants the job to stop."""
        ...


async def work_under(
    lease: Renewable, work: Coroutine[Any, Any, T], beat: Callable[[], float | None]
) -> T:
    """Return the result of `work`, which is stopped when it may not go on.

    Args:
        lease: was renewed just now.
        work: stopped by a cancellation, and waited for.
        beat: called before each renewal; returns the present speed in rows a second.

    Raises:
        Cancelled: the job's caller wants it to stop.
        LeaseLost: another runner has the job, or PostgreSQL has not answered for so long that one
            might.
        Exception: what `work` raises.
    """
    working = asyncio.ensure_future(work)
    renewing = asyncio.ensure_future(_renew(lease, beat))
    try:
        await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        renewing.result()
        raise AssertionError("renewals end with an error only")
    finally:
        for task in (working, renewing):
            task.cancel()
        await asyncio.gather(working, renewing, return_exceptions=True)


async def _renew(lease: Renewable, beat: Callable[[], float | None]) -> None:
    loop = asyncio.get_running_loop()
    renewed_s = loop.time()
    while True:
        await asyncio.sleep(BEAT_S)
        began_s = loop.time()
        speed = beat()
        try:
            async with asyncio.timeout(_SILENT * lease.lease_s):
                is_unwanted = await lease.renew(speed)
            if is_unwanted:
                raise Cancelled("the job was cancelled")
            renewed_s = began_s
        except (StoreUnavailable, TimeoutError):
            if loop.time() - renewed_s > _SAFE * lease.lease_s:
                raise LeaseLost("PostgreSQL has not answered, so the lease may be over") from None
