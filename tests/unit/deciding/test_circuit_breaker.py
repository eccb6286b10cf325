"""When a circuit breaker lets calls through."""

from __future__ import annotations

from deciding.circuit_breaker import CircuitBreaker


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker(failure_threshold=2, reset_timeout_s=1.0)
    for _ in range(2):
        assert breaker.allow(0.0)
        breaker.record_failure(0.0, "late")
    return breaker


def test_it_opens_after_consecutive_failures() -> None:
    breaker = opened()
    assert not breaker.allow(0.9)
    assert breaker.last_failure == "late"


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    for _ in range(5):
        breaker.record_failure(0.0, "failed")
        breaker.record_success()
    assert breaker.allow(0.0)


def test_while_open_one_trial_call_passes_each_timeout() -> None:
    breaker = opened()
    assert [breaker.allow(t) for t in (1.0, 1.5, 2.0, 2.5)] == [True, False, True, False]
    breaker.record_failure(2.5, "failed")
    assert breaker.last_failure == "failed"


def test_a_trial_that_succeeds_closes_it() -> None:
    breaker = opened()
    assert breaker.allow(1.0)
    breaker.record_success()
    assert [breaker.allow(1.0), breaker.allow(1.0)] == [True, True]
