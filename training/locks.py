"""One at a time, over all machines: locks that PostgreSQL holds for as long as a connection lives.

A process that dies, however it dies, loses its connection and with it the lock. Without a database
a file of this machine is locked, which goes with the process in the same way.
"""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fraud.errors import Busy
from settings.settings import Settings
from stores.postgres.lock import Lock

MODELS, RETRAIN = "quorum.models", "quorum.retrain"
"""What is locked: moving aliases and registering, and retraining."""

WAIT_S = 60.0
_PAUSE_S = 0.2


@contextmanager
def registry_lock(settings: Settings, wait_s: float = WAIT_S) -> Iterator[None]:
    """Alone at registering models and moving aliases.

    Raises:
        Busy: somebody else is at it, for longer than `wait_s`.
    """
    url = settings.database_url
    if url is None:
        with _file_lock(settings.home / "models.lock", wait_s):
            yield
        return
    # One lock for all tenants: they share the models.
    with advisory_lock(url.get_secret_value(), MODELS, "", wait_s):
        yield


@contextmanager
def advisory_lock(
    database_url: str, name: str, of: str = "", wait_s: float = 0.0
) -> Iterator[None]:
    """Hold a lock of PostgreSQL's by a connection of its own. Not from a running event loop.

    Args:
        name, of: what is locked, and whose, e.g. a tenant's.
        wait_s: how long to wait for whoever holds it.

    Raises:
        Busy: somebody else holds it.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    loop = asyncio.new_event_loop()
    try:
        lock = loop.run_until_complete(Lock.on(database_url, name=name))

        def tried() -> bool:
            return loop.run_until_complete(lock.take(name, of))

        try:
            _insist(tried, name, wait_s)
            yield
        finally:
            loop.run_until_complete(lock.close())
    finally:
        loop.close()


@contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:

        def tried() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _insist(tried, path.stem, wait_s)
        yield


def _insist(tried: Callable[[], bool], name: str, wait_s: float) -> None:
    until_s = time.monotonic() + wait_s
    while not tried():
        if time.monotonic() >= until_s:
            raise Busy(f"another process holds {name}: wait for it to end")
        time.sleep(_PAUSE_S)
