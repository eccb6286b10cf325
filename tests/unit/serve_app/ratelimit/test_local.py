"""The limiter in memory."""

from __future__ import annotations

import pytest

from serve_app.ratelimit.ask import Ask, Limiter
from serve_app.ratelimit.local import LocalLimiter
from tests.contracts.rate_limiter import Clock, LimiterMaker, RateLimiterContract, sender


class TestLocalLimiter(RateLimiterContract):
    @pytest.fixture
    def make_limiter(self) -> LimiterMaker:
        async def make(clock: Clock) -> Limiter:
            return LocalLimiter(clock)

        return make


async def test_memory_is_bounded() -> None:
    limiter = LocalLimiter(Clock(), max_counters=100)
    for i in range(50):
        await limiter.admit(Ask.of([sender("b", [f"c{i}-{k}" for k in range(8)])]))
    assert len(limiter._counters) <= 100
