"""Leadership: of all processes that do the same work in the background, one does it at a time."""

from __future__ import annotations

from stores.postgres.lock import Lock


class Leadership:
    """A lock that is asked for again and again, and kept once it is held.

    Args:
        url: PostgreSQL.
        name: of the lock, and of its connection.
        timeout_s: longest wait for it.
        variable: the setting that holds `url`.
    """

    def __init__(
        self, url: str, name: str, timeout_s: float, variable: str = "DATABASE_URL"
    ) -> None:
        self._url = url
        self._name = name
        self._timeout_s = timeout_s
        self._variable = variable
        self._lock: Lock | None = None

    async def held(self) -> bool:
        """Return whether this process leads, after it has asked for it if it does not.

        Raises:
            StoreUnavailable, OSError, asyncpg.PostgresError: PostgreSQL does not answer.
        """
        if self._lock is not None and self._lock.alive:
            return True
        lock = await Lock.on(
            self._url, variable=self._variable, timeout_s=self._timeout_s, name=self._name
        )
        try:
            if await lock.take(self._name):
                self._lock = lock
                return True
        finally:
            if self._lock is not lock:
                lock.drop()
        return False

    def drop(self) -> None:
        """Let another process lead, without waiting for PostgreSQL."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.drop()
