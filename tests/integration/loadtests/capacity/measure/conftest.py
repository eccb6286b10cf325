"""Settings of real stores, payments, and nodes that answer them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from loadtests.bench.app import App
from loadtests.capacity.measure import driver
from loadtests.capacity.measure.driver import Node
from loadtests.payments import Payment, Playlist
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


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing settles here."""
    monkeypatch.setattr(driver, "IDLE_S", 0.2)
    monkeypatch.setattr(driver, "_SETTLE_S", 0.1)


def node(url: str, payments: list[Payment]) -> Node:
    """A node whose front and metrics are at `url`."""
    return Node(App("node", f"{url}/v1/decisions", "key", list, Playlist(payments), "node"), url)
