"""Locks that PostgreSQL holds for as long as a connection lives: one process at a time, on all
machines together. A process that dies, however it dies, loses its connection and with it the lock.
"""

from __future__ import annotations

from typing import Self

from stores.postgres.connect import TIMEOUT_S, connect
from stores.postgres.session import Session
from stores.statements import statement

_OF_SESSION = statement("stores/postgres/try_lock.sql")
_OF_TRANSACTION = statement("stores/postgres/try_lock_pooled.sql")
_NEVER_IDLE_TOO_LONG = "SET LOCAL idle_in_transaction_session_timeout = 0"


class Lock:
    """A lock on a connection of its own. As a context manager it is released at the end of the
    block.

    Behind a pooler in transaction mode the session is shared but a transaction is not: an open
    transaction holds the lock there, and occupies one of the pooler's connections meanwhile.

    Args:
        session: used for nothing else.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._begun = False

    @classmethod
    async def on(
        cls, url: str, *, variable: str = "DATABASE_URL", timeout_s: float = TIMEOUT_S, name: str
    ) -> Lock:
        """Return a lock that is not held yet, on a new connection. See `connect`."""
        session = await connect(
            url,
            variable=variable,
            timeout_s=timeout_s,
            command_timeout_s=timeout_s,
            name=name,
            writes=False,
        )
        return cls(session)

    async def take(self, name: str, of: str = "") -> bool:
        """Take the lock if it is free.

        Args:
            name, of: what is locked, and its scope, e.g. a tenant.

        Returns:
            Whether this connection holds it now.

        Raises:
            OSError, asyncpg.PostgresError: PostgreSQL does not answer.
        """
        if not self._session.pooled:
            return bool(await self._session.fetchval(_OF_SESSION, name, of))
        if not self._begun:
            await self._session.execute("BEGIN")
            self._begun = True
            await self._session.execute(_NEVER_IDLE_TOO_LONG)
        return bool(await self._session.fetchval(_OF_TRANSACTION, name, of))

    @property
    def alive(self) -> bool:
        """Whether the connection is open, and so the lock held, if it was taken."""
        return not self._session.is_closed()

    async def close(self) -> None:
        """Release the lock."""
        await self._session.end("ROLLBACK" if self._begun else None)

    def drop(self) -> None:
        """Release the lock without waiting for PostgreSQL."""
        self._session.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
