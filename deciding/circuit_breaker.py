"""A circuit breaker: callers do not wait for a service that keeps failing."""

from __future__ import annotations


class CircuitBreaker:
    """Opens after consecutive failures, and then lets one trial call through now and then.

    Without it every micro-batch would wait out its deadline for a dead pool, and an outage of one
    variant would slow every decision down.

    Args:
        failure_threshold: consecutive failures that open it, > 0.
        reset_timeout_s: seconds between trial calls while it is open, > 0.
    """

    __slots__ = (
        "_failure_threshold",
        "_failures",
        "_next_trial_s",
        "_reset_timeout_s",
        "last_failure",
    )

    def __init__(self, failure_threshold: int = 3, reset_timeout_s: float = 1.0) -> None:
        self._failure_threshold = failure_threshold
        self._reset_timeout_s = reset_timeout_s
        self._failures = 0
        self._next_trial_s = 0.0
        self.last_failure = ""
        """Status of the last failed call."""

    def allow(self, now_s: float) -> bool:
        """Return whether to call now. While open, True means that this call is the trial."""
        if self._failures < self._failure_threshold:
            return True
        if now_s < self._next_trial_s:
            return False
        self._next_trial_s = now_s + self._reset_timeout_s
        return True

    def record_success(self) -> None:
        """Close: a call was answered."""
        self._failures = 0

    def record_failure(self, now_s: float, status: str) -> None:
        """Count a call that was not answered, or not in time."""
        self.last_failure = status
        self._failures += 1
        if self._failures == self._failure_threshold:
            self._next_trial_s = now_s + self._reset_timeout_s
