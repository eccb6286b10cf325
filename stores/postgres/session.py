"""A connection to PostgreSQL that knows when it must not be asked again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any
from uuid import uuid4

import asyncpg

from stores.postgres.errors import is_unfit

_READ_ONLY_S = 1.0
"""How long a connection to a server that says by itself that it takes no writes is kept at least:
there may be no other yet, and a new one for each question would be too many."""


class Session(asyncpg.Connection):  # type: ignore[misc]
    """Attributes:
    pooled: a pooler in transaction mode stands in between: nothing of the session lasts longer
        than a transaction, neither prepared statements nor locks, settings or temporary tables.
    writes: it is to be one that takes writes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pooled = False
        self.writes = True
        self._began_s = monotonic()
        self._refused = False
        self._told: Callable[[Session, BaseException | None], None] | None = None

    def tell(self, told: Callable[[Session, BaseException | None], None]) -> None:
        """Have `told(session, error)` called when an answer shows that it is unfit."""
        self._told = told

    @property
    def unfit(self) -> bool:
        """Whether it must not be asked again: what it said, or the server of itself."""
        return self._refused or (self.writes and self._is_read_only())

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """See asyncpg."""
        try:
            return str(await super().execute(query, *args, timeout=timeout))
        except asyncpg.PostgresError as error:
            self._look_at(error)
            raise

    async def _execute(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(*args, **kwargs)
        except asyncpg.PostgresError as error:
            self._look_at(error)
            raise

    async def _executemany(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._executemany(*args, **kwargs)
        except asyncpg.PostgresError as error:
            self._look_at(error)
            raise

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """See asyncpg, whose pool calls it with a connection that is given back: an unfit one ends
        here, and the pool makes another when one is needed."""
        if self.unfit:
            if not self._refused:
                self._tell(None)
            self.terminate()
            return
        await super().reset(timeout=timeout)

    def get_reset_query(self) -> str:
        """See asyncpg. What a pooler gives to others must not be reset by us."""
        return "" if self.pooled else str(super().get_reset_query())

    def _get_unique_id(self, prefix: str) -> str:
        # Cursors have named statements. Behind a pooler all clients share the server's names.
        return (
            f"__quorum_{prefix}_{uuid4().hex}"
            if self.pooled
            else str(super()._get_unique_id(prefix))
        )

    def _look_at(self, error: asyncpg.PostgresError) -> None:
        if not is_unfit(error):
            return
        self._refused = True
        self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        if self._told is not None:
            self._told(self, error)

    def _is_read_only(self) -> bool:
        # PostgreSQL 14 and newer report both by themselves, with an answer.
        if monotonic() - self._began_s < _READ_ONLY_S:
            return False
        settings = self.get_settings()
        return any(
            getattr(settings, name, "off") == "on"
            for name in ("in_hot_standby", "default_transaction_read_only")
        )
