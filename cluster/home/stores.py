"""The two stores of this machine: the embedded ones, or those that the environment names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from cluster.home import settings_file
from cluster.home.private_folder import make_private


class EmbeddedStore(Protocol):
    """What PostgreSQL and Redis have in common when they are embedded."""

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def running(self) -> bool: ...
    def start(self) -> bool: ...
    def stop(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Store:
    """A store: its name, the variable that would name another, and the embedded server behind it
    (None if the environment names one)."""

    name: str
    variable: str
    server: EmbeddedStore | None


def stores(home: Path) -> tuple[Store, ...]:
    """PostgreSQL and Redis, in the order in which they start."""
    logs = home / "logs"
    return (
        _store(
            "PostgreSQL", "DATABASE_URL", EmbeddedPostgres(home / "pg", log=logs / "postgres.log")
        ),
        _store("Redis", "REDIS_URL", EmbeddedRedis(home / "redis", log=logs / "redis.log")),
    )


def start(home: Path) -> list[str]:
    """Start the stores that are embedded and write their URLs to settings.env.

    Returns:
        What is up now, a phrase for each store.

    Raises:
        CommandFailed: one does not start.
    """
    make_private(home.resolve())
    said, urls = [], {}
    for store in stores(home):
        if store.server is None:
            said.append(f"{store.name} of {store.variable}")
            continue
        started = store.server.start()
        said.append(f"{store.name} {'started' if started else 'was up'}")
        urls[store.variable] = store.server.url
    settings_file.complete(home, urls)
    return said


def stop(home: Path) -> list[str]:
    """Stop the embedded stores, Redis first. Returns the names of those that were up."""
    return [
        store.name
        for store in reversed(stores(home))
        if store.server is not None and store.server.stop()
    ]


def _store(name: str, variable: str, server: EmbeddedStore) -> Store:
    return Store(name, variable, None if os.environ.get(variable) else server)
