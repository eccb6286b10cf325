"""Locks across all machines, held by PostgreSQL as long as a connection lives.

A process that dies loses its connection and so the lock. Without a database the lock is on a local
file, which is released with the process in the same way.
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
"""The names of the locks: registering models and moving aliases; retraining."""

WAIT_S = 60.0
_PAUSE_S = 0.2


@contextmanager
def registry_lock(settings: Settings, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock for registering models and moving aliases.

    Raises:
        Busy: another process holds it for longer than `wait_s`.
    """
    url = settings.database_url
    if url is None:
        with _file_lock(settings.home / "models.lock", wait_s):
            yield
        return
    # One lock for all tenants, since they share the models.
    with advisory_lock(url.get_secret_value(), MODELS, "", wait_s):
        yield


@contextmanager
def advisory_lock(
    database_url: str, name: str, of: str = "", wait_s: float = 0.0
) -> Iterator[None]:
    """Hold an advisory lock of PostgreSQL on its own connection. Not from a running event loop.

    Args:
        name, of: the name of the lock, and its scope, e.g. a tenant.
        wait_s: how long to wait for the holder.

    Raises:
        Busy: another process holds it.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    loop = asyncio.new_event_loop()
    try:
        lock = loop.run_until_complete(Lock.on(database_url, name=name))

        def take() -> bool:
            return loop.run_until_complete(lock.take(name, of))

        try:
            _take(take, name, wait_s)
            yield
        finally:
            loop.run_until_complete(lock.close())
    finally:
        loop.close()


@contextmanager
def _file_lock(path: Path, wait_s: float) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:

        def take() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _take(take, path.stem, wait_s)
        yield


def _take(take: Callable[[], bool], name: str, wait_s: float) -> None:
    until_s = time.monotonic() + wait_s
    while not take():
        if time.monotonic() >= until_s:
            raise Busy(f"another process holds the lock {name}: wait for it to end")
        time.sleep(_PAUSE_S)
