"""Embedded servers in a folder of their own, ended after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.contracts.run_folder import end_those_of, run_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A deep folder, whose path is too long for a socket."""
    with run_folder("embedded") as root:
        yield root / ("deep" * 20) / ("deeper" * 20)
        end_those_of(root)


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
