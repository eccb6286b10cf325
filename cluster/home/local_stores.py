"""The two stores of this Quorum: embedded, or external ones that the environment names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from cluster.embedded.server import EmbeddedServer
from cluster.home import settings_file
from cluster.home.private_folder import make_private
from settings.secret_files import given


@dataclass(frozen=True, slots=True)
class Store:
    """A store.

    Attributes:
        name: PostgreSQL or Redis.
        variable: the environment variable that names an external one.
        server: the embedded server; None if the variable is set.
    """

    name: str
    variable: str
    server: EmbeddedServer | None


def stores_of(home: Path) -> tuple[Store, ...]:
    """Return PostgreSQL and Redis, in the order in which they start."""
    logs = home / "logs"
    return (
        _store(
            "PostgreSQL", "DATABASE_URL", EmbeddedPostgres(home / "pg", log=logs / "postgres.log")
        ),
        _store("Redis", "REDIS_URL", EmbeddedRedis(home / "redis", log=logs / "redis.log")),
    )


def start(home: Path) -> list[str]:
    """Start the embedded stores and write their URLs to settings.env.

    Returns:
        A phrase for each store.

    Raises:
        CommandFailed: a store does not start.
    """
    make_private(home.resolve())
    phrases, urls = [], {}
    for store in stores_of(home):
        if store.server is None:
            phrases.append(f"{store.name} from {store.variable}")
            continue
        started = store.server.start()
        phrases.append(f"{store.name} {'started' if started else 'already running'}")
        urls[store.variable] = store.server.url
    settings_file.complete(home, urls)
    return phrases


def stop(home: Path) -> list[str]:
    """Stop the embedded stores, Redis first. Returns the names of those that were running."""
    return [
        store.name
        for store in reversed(stores_of(home))
        if store.server is not None and store.server.stop()
    ]


def _store(name: str, variable: str, server: EmbeddedServer) -> Store:
    return Store(name, variable, None if given(variable) else server)
