"""Which stores are started, in which order, and what later processes read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.home import local_stores, settings_file


class Server:
    """An embedded server without a process."""

    def __init__(self, name: str, order: list[str]) -> None:
        self.url = f"{name}://127.0.0.1"
        self.running = False
        self._name = name
        self._order = order

    def start(self) -> bool:
        self._order.append(f"start {self._name}")
        started, self.running = not self.running, True
        return started

    def stop(self) -> bool:
        self._order.append(f"stop {self._name}")
        was, self.running = self.running, False
        return was


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the servers, which outlive the calls as processes do."""
    done: list[str] = []
    servers = {name: Server(name, done) for name in ("postgres", "redis")}
    for kind, name in (("EmbeddedPostgres", "postgres"), ("EmbeddedRedis", "redis")):
        monkeypatch.setattr(local_stores, kind, lambda *_, name=name, **__: servers[name])
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return done


def test_both_start_and_their_urls_are_stored(tmp_path: Path, order: list[str]) -> None:
    home = tmp_path / "home"
    assert local_stores.start(home) == ["PostgreSQL started", "Redis started"]
    assert local_stores.start(home) == ["PostgreSQL already running", "Redis already running"]
    stored = settings_file.read(home / settings_file.NAME)
    assert stored["DATABASE_URL"] == "postgres://127.0.0.1"
    assert stored["REDIS_URL"] == "redis://127.0.0.1"
    assert order == ["start postgres", "start redis"] * 2
    assert home.stat().st_mode & 0o077 == 0


def test_an_external_store_is_neither_started_nor_stopped_nor_stored(
    tmp_path: Path, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/d")
    assert local_stores.start(tmp_path) == ["PostgreSQL from DATABASE_URL", "Redis started"]
    assert "DATABASE_URL" not in settings_file.read(tmp_path / settings_file.NAME)
    assert local_stores.stop(tmp_path) == ["Redis"]
    assert order == ["start redis", "stop redis"]


def test_redis_stops_first_and_only_what_ran_is_named(tmp_path: Path, order: list[str]) -> None:
    local_stores.start(tmp_path)
    order.clear()
    assert local_stores.stop(tmp_path) == ["Redis", "PostgreSQL"]
    assert order == ["stop redis", "stop postgres"]
    assert local_stores.stop(tmp_path) == []
