"""Embedded servers in a folder of their own, ended after the test."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis, daemon


@pytest.fixture
def folder() -> Iterator[Path]:
    """A deep folder, whose path is too long for a socket."""
    root = Path(tempfile.mkdtemp(prefix="quorum-embedded-"))
    deep = root / ("deep" * 20) / ("deeper" * 20)
    yield deep
    for name in ("postgres", "redis-server"):
        for place in (deep / "pg" / "data", deep / "redis"):
            daemon.end(daemon.find(name, place), first=signal.SIGKILL, patience_s=5)
    shutil.rmtree(root)


@pytest.fixture
def postgres(folder: Path) -> EmbeddedPostgres:
    server = EmbeddedPostgres(folder / "pg")
    server.start()
    return server


@pytest.fixture
def redis_server(folder: Path) -> EmbeddedRedis:
    server = EmbeddedRedis(folder / "redis")
    server.start()
    return server
