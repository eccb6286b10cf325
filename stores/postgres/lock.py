"""Locks of PostgreSQL's, held for as long as a connection lives: one process at a time, over all
machines. A process that dies, however it dies, loses its connection and with it the lock."""

from __future__ import annotations

import asyncio

import asyncpg

from stores.postgres.connect import TIMEOUT_S, connect
from stores.postgres.errors import DISCONNECTED
from stores.postgres.session import Session
from stores.statements import statement

_OF_SESSION = statement("stores/postgres/try_lock.sql")
_OF_TRANSACTION = statement("stores/postgres/try_lock_pooled.sql")
_NEVER_IDLE_TOO_LONG = "SET LOCAL idle_in_transaction_session_timeout = 0"


class Lock:
    """A lock on a connection of its own.

    Behind a pooler in transaction mode the session is not ours but the transaction is: the lock is
    held by one that stays open. It keeps one of the pooler's connections meanwhile.

    Args:
        session: has nothing else to do.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._begun = False

    @classmethod
    async def on(
        cls, url: str, *, variable: str = "DATABASE_URL", timeout_s: float = TIMEOUT_S, name: str
    ) -> Lock:
        """A lock that is not held yet, on a new connection. Raises as `connect`."""
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
        """Take it, if nobody holds it.

        Args:
            name, of: what is locked, and whose, e.g. a tenant's.

        Returns:
            Whether it is ours.

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
        """Whether its connection is, and so the lock, if it was taken."""
        return not self._session.is_closed()

    async def close(self) -> None:
        """Let go of it."""
        try:
            async with asyncio.timeout(5):
                if self._begun:
                    await self._session.execute("ROLLBACK")
                await self._session.close(timeout=5)
        except (*DISCONNECTED, asyncpg.PostgresError):
            self._session.terminate()

    def drop(self) -> None:
        """Let go of it without a word."""
        self._session.terminate()
