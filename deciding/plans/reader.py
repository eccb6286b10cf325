"""The active plan, read again and again over one connection."""

from __future__ import annotations

import asyncio

import asyncpg

from deciding.plans.table import read_active
from fraud.errors import StoreUnavailable
from fraud.plan import Plan
from stores.postgres.connect import connect
from stores.postgres.errors import DISCONNECTED, READ_ONLY, reason

_READ_ONLY = "PostgreSQL accepts no writes: decisions wait on this machine's disk"


class PlanReader:
    """Reads the table `plans` over one connection, and connects again when it is lost.

    Args:
        url: PostgreSQL.
        timeout_s: longest wait for it.

    Attributes:
        trouble: what was wrong with PostgreSQL at the last read, "" if nothing was.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connection: asyncpg.Connection | None = None
        self.trouble = ""

    async def active(self) -> Plan | None:
        """Return the active plan, None if no plan is active.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            ValueError: the document is not a plan.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._read()
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
        if connection is not None:
            connection.terminate()

    async def _read(self) -> Plan | None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._url, timeout_s=self._timeout_s, name="quorum-plans"
            )
        connection = self._connection
        # If the server is read-only by now, the next read looks for the primary again.
        self.trouble = _READ_ONLY if await connection.fetchval(READ_ONLY) else ""
        try:
            return await read_active(connection)
        finally:
            if self.trouble:
                await self.close()
