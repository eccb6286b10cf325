"""The one way in for payments: every adapter (HTTP, jobs, streams) submits its batches here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fraud.payment.batch import TransactionBatch
from serve_app.gateway.auth import Principal
from serve_app.gateway.coalescer import Coalescer, Decide, never
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.submission import Answers
from settings.settings import Settings, default_lanes

_MIN_BATCH_LANES: Final = 2
"""Large micro-batches are full anyway: while one is read or written, another is scored."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Settings of the gateway; see `settings.settings.Settings`."""

    request_timeout_ms: int = 2_000
    max_queued_rows: int = 4_096
    max_rows_per_call: int = 256
    lanes: int = field(default_factory=default_lanes)

    @classmethod
    def of(cls, settings: Settings) -> GatewaySettings:
        """Return the gateway's part of all settings."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


class Gateway:
    """Decides payments on behalf of principals, within their rate limits.

    Args:
        decide: answers a micro-batch; raises errors of `fraud.errors`, perhaps wrapped by Ray.
        rate_limits: the limits by key and by customer.
        settings: caps and times.
        combiners: returns the number of Combiner replicas, > 0. There are `settings.lanes` lanes
            for each, and at least `_MIN_BATCH_LANES` for payments that are sent together.
    """

    def __init__(
        self,
        decide: Decide,
        rate_limits: RateLimits,
        settings: GatewaySettings,
        *,
        combiners: Callable[[], int] = lambda: 1,
    ) -> None:
        self.rate_limits = rate_limits
        # Payments that are sent together stay together, in their order, in lanes of their own:
        # neither their number nor the history that one of them needs holds up single ones.
        self._singles, self._batches = (
            Coalescer(
                decide,
                rate_limits.admit,
                patient=patient,
                lanes=partial(_lanes, max(settings.lanes, at_least), combiners),
                max_rows_per_call=settings.max_rows_per_call,
                max_queued_rows=settings.max_queued_rows,
                timeout_s=settings.request_timeout_ms / 1000,
            )
            for patient, at_least in ((False, 1), (True, _MIN_BATCH_LANES))
        )

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a lane."""
        return self._singles.queued_rows + self._batches.queued_rows

    def submit(
        self,
        batch: TransactionBatch,
        principal: Principal,
        has_left: Callable[[], bool] = never,
        *,
        together: bool = True,
    ) -> Coroutine[Any, Any, Answers]:
        """Return the answers to the rows of `batch`; see Coalescer.submit for its errors.

        Args:
            batch: n >= 1 rows of the principal's tenant.
            principal: the sender.
            has_left: returns whether the sender has stopped waiting.
            together: whether the rows belong together: they are counted in their order, and wait
                for the history of all of them. A single payment waits for its own only.
        """
        coalescer = self._batches if together else self._singles
        return coalescer.submit(batch, principal, has_left)

    async def drain(self) -> None:
        """Wait until nothing is in flight and nothing waits."""
        await self._singles.drain()
        await self._batches.drain()


def _lanes(each: int, combiners: Callable[[], int]) -> int:
    return each * combiners()
