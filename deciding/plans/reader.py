"""The active plans, read again and again over one connection, which also hears of changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

import asyncpg

from fraud.errors import StoreUnavailable
from stores.postgres.connect import connect
from stores.postgres.errors import DISCONNECTED, READ_ONLY, reason
from stores.postgres.session import Session
from stores.statements import statement

logger = logging.getLogger(__name__)

CHANNEL = "quorum_plans"
"""Where PostgreSQL announces that the table `plans` was written."""

_READ_ONLY = "PostgreSQL accepts no writes: decisions wait on this machine's disk"


class ActiveRow(NamedTuple):
    """The active plan of an owner as it lies in the table.

    Attributes:
        revision: another one after each change; None: the owner has no active plan any more.
        document: JSON text, None if `revision` is.
    """

    owner: str
    revision: str | None
    document: str | None


class PlanReader:
    """Reads the table `plans` over one connection, and connects again when it is lost.

    Behind a pooler in transaction mode nothing is announced: a session that listens would not be
    ours. There, changes are found by reading alone.

    Args:
        url: PostgreSQL.
        timeout_s: longest wait for it.

    Attributes:
        announced: called when the table was written, from the event loop. It may be replaced.
        trouble: what was wrong with PostgreSQL at the last read, "" if nothing was.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connection: Session | None = None
        self._listens = False
        self.announced: Callable[[], object] = lambda: None
        self.trouble = ""

    async def changes(self, known: Mapping[str, str]) -> list[ActiveRow]:
        """Return the active plans that differ from what is known.

        Args:
            known: owner -> revision of what was read last.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._read(known)
        except (*DISCONNECTED, asyncpg.PostgresError) as error:
            await self.close()
            self.trouble = f"no plan is read: {reason(error)}"
            raise StoreUnavailable(self.trouble) from error
        except StoreUnavailable as error:
            self.trouble = f"no plan is read: {error}"
            raise

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        connection, self._connection = self._connection, None
        self._listens = False
        if connection is not None:
            connection.terminate()

    async def _read(self, known: Mapping[str, str]) -> list[ActiveRow]:
        if self._connection is None or self._connection.is_closed():
            self._listens = False
            self._connection = await connect(
                self._url, timeout_s=self._timeout_s, name="quorum-plans"
            )
        connection = self._connection
        # If the server is read-only by now, the next read looks for the primary again.
        self.trouble = _READ_ONLY if await connection.fetchval(READ_ONLY) else ""
        try:
            # First: what is announced from here on may be missing in what is read now.
            await self._listen(connection)
            rows = await connection.fetch(
                statement("deciding/plans/sql/active_of_owners.sql"),
                list(known.keys()),
                list(known.values()),
            )
        finally:
            if self.trouble:
                await self.close()
        return [ActiveRow(row["owner"], row["revision"], row["document"]) for row in rows]

    async def _listen(self, connection: Session) -> None:
        if self._listens or self.trouble or connection.pooled:
            return
        try:
            await connection.add_listener(CHANNEL, self._hear)
        except asyncpg.PostgresError as error:
            logger.warning("plans are not announced: %s", reason(error))
        self._listens = True  # or refused, which another attempt would not change

    def _hear(self, *_: object) -> None:
        self.announced()
