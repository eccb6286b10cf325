"""Spares callers the wait for a pool that does not answer."""

from __future__ import annotations


class Breaker:
    """Opens after so many failures in a row, and lets one call through now and then.

    Without it every micro-batch would wait out its deadline for a dead pool, and an outage of one
    variant would be an outage of latency for all.

    Args:
        trip_after: failures in a row after which calls are refused, > 0.
        retry_after_s: seconds until one call may try again, > 0.
    """

    __slots__ = ("_failures", "_retry_after_s", "_retry_at_s", "_trip_after", "why")

    def __init__(self, trip_after: int = 3, retry_after_s: float = 1.0) -> None:
        self._trip_after = trip_after
        self._retry_after_s = retry_after_s
        self._failures = 0
        self._retry_at_s = 0.0
        self.why = ""
        """What the last failure was."""

    def allows(self, now_s: float) -> bool:
        """Whether to call now. True once every `retry_after_s` while open: call it only to call."""
        if self._failures < self._trip_after:
            return True
        if now_s < self._retry_at_s:
            return False
        self._retry_at_s = now_s + self._retry_after_s
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self, now_s: float, why: str) -> None:
        """A call was not answered, or not in time."""
        self.why = why
        self._failures += 1
        if self._failures == self._trip_after:
            self._retry_at_s = now_s + self._retry_after_s
