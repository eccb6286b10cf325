"""A connection to PostgreSQL that detects when it must not be used again.

The only module that depends on undocumented parts of asyncpg: where its methods send statements,
how it names prepared ones, and its transport. `tests/unit/stores/postgres/test_session.py` fails
when a release changes them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg

from stores.postgres.errors import DISCONNECTED, is_unfit

_READ_ONLY_S = 1.0
"""A connection to a server that reports itself read-only is kept at least this long: there may be
no other server yet, and a new connection for every statement would be too many."""


class Session(asyncpg.Connection):  # type: ignore[misc]
    """Attributes:
    pooled: a pooler in transaction mode is in front: nothing of the session outlives a
        transaction, neither prepared statements nor locks, settings or temporary tables.
    writes: the connection is meant for writes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pooled = False
        self.writes = True
        self._began_s = monotonic()
        self._refused = False
        self._unfit_callback: Callable[[Session, BaseException | None], None] | None = None

    def on_unfit(self, callback: Callable[[Session, BaseException | None], None]) -> None:
        """Have `callback(session, error)` called when the session turns out to be unfit. `error` is
        None if the server reported by itself that it is read-only."""
        self._unfit_callback = callback

    @property
    def unfit(self) -> bool:
        """Whether it must not be used again, by an error or by what the server reported."""
        return self._refused or (self.writes and self._is_read_only())

    @property
    def socket(self) -> socket.socket | None:
        """The socket underneath, None if there is none."""
        found: socket.socket | None = self._transport.get_extra_info("socket")
        return found

    async def end(self, last: str | None = None, timeout_s: float = 5.0) -> None:
        """Close the connection; cut it off if PostgreSQL does not answer in time.

        Args:
            last: a statement to execute before.
        """
        try:
            async with asyncio.timeout(timeout_s):
                if last is not None:
                    await self.execute(last)
                await self.close(timeout=timeout_s)
        except (*DISCONNECTED, asyncpg.PostgresError):
            self.terminate()

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """See asyncpg."""
        try:
            return str(await super().execute(query, *args, timeout=timeout))
        except asyncpg.PostgresError as error:
            self._check(error)
            raise

    async def _execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(*args, **kwargs)
        except asyncpg.PostgresError as error:
            self._check(error)
            raise

    async def _executemany(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._executemany(*args, **kwargs)
        except asyncpg.PostgresError as error:
            self._check(error)
            raise

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """See asyncpg, whose pool calls this on a connection that is given back. An unfit one ends
        here, and the pool opens another when it needs one."""
        if self.unfit:
            if not self._refused:
                self._report(None)
            self.terminate()
            return
        await super().reset(timeout=timeout)

    def get_reset_query(self) -> str:
        """See asyncpg. Behind a pooler the session is another client's by then: leave it alone."""
        return "" if self.pooled else str(super().get_reset_query())

    def _get_unique_id(self, prefix: str) -> str:
        # Cursors have named statements. Behind a pooler all clients share the server's names.
        return (
            f"__quorum_{prefix}_{uuid4().hex}"
            if self.pooled
            else str(super()._get_unique_id(prefix))
        )

    def _check(self, error: asyncpg.PostgresError) -> None:
        if is_unfit(error):
            self._refused = True
            self._report(error)

    def _report(self, error: BaseException | None) -> None:
        if self._unfit_callback is not None:
            self._unfit_callback(self, error)

    def _is_read_only(self) -> bool:
        # PostgreSQL 14 and newer report both settings by themselves, along with a result.
        if monotonic() - self._began_s < _READ_ONLY_S:
            return False
        settings = self.get_settings()
        return any(
            getattr(settings, name, "off") == "on"
            for name in ("in_hot_standby", "default_transaction_read_only")
        )
