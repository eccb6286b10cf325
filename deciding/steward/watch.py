"""The steward's watch: of all combiners, one looks every few seconds."""

from __future__ import annotations

import time
from typing import Final

import asyncpg

from deciding.steward.steward import Steward
from fraud.errors import StoreUnavailable
from stores.poll import Poll, Wait
from stores.postgres.errors import DISCONNECTED, reason
from stores.postgres.leader import Leadership
from telemetry import metrics

LOCK: Final = "quorum.steward"
"""The replica that holds it looks."""

_LEAST_PAUSE = 9.0
"""A pause is so many times as long as the look was: at most a tenth of the time goes into looks."""


class StewardWatch:
    """Looks every `interval_s` seconds, if no other replica does and there is something to look at.

    Args:
        steward: looks.
        leadership: of `LOCK`.
        interval_s: > 0.
    """

    def __init__(self, steward: Steward, leadership: Leadership, interval_s: float) -> None:
        self._steward = steward
        self._leadership = leadership
        self._interval_s = interval_s
        self._poll = Poll("the steward", self.turn, interval_s)

    def start(self) -> None:
        """Look from now on, until `close`."""
        self._poll.start_later()

    @property
    def alive(self) -> bool:
        """Whether it goes on looking."""
        return self._poll.alive

    async def turn(self) -> Wait | None:
        """Look once, if it is this replica's turn.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        if not self._steward.has_work:
            self._leadership.drop()
            self._steward.rest()
            return None
        began = time.monotonic()
        try:
            if not await self._leadership.held():
                self._steward.rest()
                return None
            await self._steward.look()
        except Exception as error:
            metrics.GUARD_RAIL_ERRORS.inc()
            if isinstance(error, (*DISCONNECTED, asyncpg.PostgresError)):
                raise StoreUnavailable(reason(error)) from error
            raise
        return Wait(max(self._interval_s, _LEAST_PAUSE * (time.monotonic() - began)))

    async def close(self) -> None:
        """Stop looking, and let another replica."""
        await self._poll.close()
        self._leadership.drop()
        await self._steward.close()
