"""A connection to one replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast

from deployments.links.codec import plain, read_answer, read_error
from deployments.links.frame import ANSWER, ASK, ERROR, LEAVING, BadFrame, Reader, pack
from deployments.links.peer import require_own_peer
from fraud.errors import Unavailable


class LinkLost(Unavailable):
    """The replica went while it was asked: it may have done what it was asked for."""


Again = Callable[["asyncio.Future[Any]"], None]
"""Finds the future another answer, since the replica that was asked is gone."""


class _Asked(NamedTuple):
    future: asyncio.Future[Any]
    rows: int
    again: Again | None


class Link(asyncio.Protocol):
    """Asks one replica.

    Attributes:
        rows: how many it has in hand for this process.
        open: whether it may be asked.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.open = False
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._asked: dict[int, _Asked] = {}
        self._numbers = count(1)

    @classmethod
    async def to(cls, path: Path) -> Link:
        """A link to the replica that listens at `path`.

        Raises:
            OSError: nobody listens there, or another user does.
        """
        loop = asyncio.get_running_loop()
        transport, link = await loop.create_unix_connection(cls, str(path))
        try:
            require_own_peer(transport)
        except PermissionError:
            transport.abort()
            raise
        return link

    def ask(
        self, method: str, arguments: tuple[Any, ...], rows: int, again: Again | None = None
    ) -> asyncio.Future[Any]:
        """What `method` of the replica answers to `arguments`, which hold `rows` rows; or what it
        raises there; or LinkLost. A future that is cancelled stops nothing over there.

        Args:
            method, arguments, rows: as above.
            again: told the future instead of LinkLost, if the replica goes while it is asked.
        """
        # A future, and no coroutine: a task for each of four votes is dearer than what it does.
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._transport is None:
            future.set_exception(LinkLost("the replica is gone"))
            return future
        call = next(self._numbers) & 0xFFFFFFFF
        try:
            message = pack(ASK, call, (method, [plain(argument) for argument in arguments]))
        except Exception as error:  # like all that goes wrong: where the answer would be
            future.set_exception(error)
            return future
        self._asked[call] = _Asked(future, rows, again)
        self.rows += rows
        self._transport.write(message)
        return future

    def hang_up(self) -> None:
        """Ask no more here; the connection ends with the last answer."""
        self.open = False
        if not self._asked and self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        try:
            for kind, call, content in self._reader.feed(data):
                if kind == LEAVING:
                    self.hang_up()
                elif kind in (ANSWER, ERROR):
                    self._answered(call, kind == ERROR, content)
        except BadFrame:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._transport = None
        asked, self._asked = self._asked, {}
        self.rows = 0
        for future, _, again in asked.values():
            if future.done():
                continue
            if again is None:
                future.set_exception(LinkLost("the replica went while it was asked"))
            else:
                again(future)

    def _answered(self, call: int, failed: bool, content: memoryview) -> None:
        asked = self._asked.pop(call, None)
        if asked is None:
            raise BadFrame(f"an answer to call {call}, which is not under way")
        future, rows, _ = asked
        self.rows -= rows
        if not future.done():
            try:
                result = read_error(content) if failed else read_answer(content)
            except Exception as error:
                failed, result = True, RuntimeError(f"unreadable answer: {type(error).__name__}")
            if failed:
                future.set_exception(result)
            else:
                future.set_result(result)
        if not self.open:
            self.hang_up()
