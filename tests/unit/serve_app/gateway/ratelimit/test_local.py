"""The limiter in memory."""

from __future__ import annotations

import pytest

from serve_app.gateway.ratelimit.interface import BUCKETS, AdmissionRequest, Limiter
from serve_app.gateway.ratelimit.local import LocalLimiter
from tests.contracts.rate_limiter import (
    SMALL,
    Clock,
    LimiterMaker,
    RateLimiterContract,
    sender,
)


class TestLocalLimiter(RateLimiterContract):
    @pytest.fixture
    def make_limiter(self) -> LimiterMaker:
        async def make(clock: Clock) -> Limiter:
            return LocalLimiter(clock)

        return make


async def test_memory_is_bounded() -> None:
    limiter = LocalLimiter(Clock(), max_counters=100)
    for i in range(50):
        await limiter.admit(AdmissionRequest.of([sender("b", [f"c{i}-{k}" for k in range(8)])]))
    assert len(limiter._counters) <= 100


async def test_counters_are_let_go_when_their_windows_are_over() -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    longest_us = SMALL.customer.window_s * 1_000_000 if SMALL.customer else 0
    await limiter.admit(AdmissionRequest.of([sender("a", ["x", "y"]), sender("c", ["x"] * 5)]))
    clock.now_us += longest_us - 1
    await limiter.admit(AdmissionRequest.of([sender("b", ["z"])]))
    # The window of key a is over; it is dropped first, the customers after it still count.
    assert len(limiter._counters) == 5
    clock.now_us += longest_us // BUCKETS + 1
    await limiter.admit(AdmissionRequest.of([sender("b", ["z"])]))
    assert len(limiter._counters) == 2


async def test_what_still_counts_is_not_let_go() -> None:
    clock = Clock()
    limiter = LocalLimiter(clock)
    # Two rows of customer x are all it may have in its window, which is longer than its key's.
    await limiter.admit(AdmissionRequest.of([sender("a", ["x"] * 2)]))
    for _ in range(29):
        clock.now_us += 1_000_000
        await limiter.admit(AdmissionRequest.of([sender("c", ["z"])]))
    refused = (await limiter.admit(AdmissionRequest.of([sender("a", ["x"])]))).refused
    assert [refusal.limit for refusal in refused] == [1]
