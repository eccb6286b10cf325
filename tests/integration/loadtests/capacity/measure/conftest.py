"""Settings of real stores, and payments."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from loadtests.payments import Payment
from settings.settings import Settings


@pytest.fixture
def stores(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings that name the stores of the tests."""
    return Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        redis_timeout_ms=10_000,
        rebuild_wait_ms=20_000,
    )


@pytest.fixture(scope="session")
def payments() -> list[Payment]:
    """Payments of fifty customers at five merchants, a minute apart."""
    return [
        Payment(
            60_000 * i,
            b'"customer_id":"c%d~again~","merchant_id":"m%d~again~","device_id":"d%d~again~",'
            b'"amount":"%d","currency":"EUR","type":"purchase","country":"DE"}'
            % (i % 50, i % 5, i % 50, 1 + i),
            None,
        )
        for i in range(256)
    ]
