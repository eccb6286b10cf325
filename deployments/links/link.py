"""A connection to one replica."""

from __future__ import annotations

import asyncio
import pickle
from itertools import count
from pathlib import Path
from typing import Any, cast

from deployments.links.frame import ANSWER, ASK, ERROR, LEAVING, BadFrame, Reader, pack
from fraud.errors import Unavailable


class LinkLost(Unavailable):
    """The replica went while it was asked: it may have done what it was asked for."""


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
        self._asked: dict[int, tuple[asyncio.Future[Any], int]] = {}
        self._numbers = count(1)

    @classmethod
    async def to(cls, path: Path) -> Link:
        """A link to the replica that listens at `path`.

        Raises:
            OSError: nobody listens there.
        """
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(cls, str(path))
        return link

    def ask(self, method: str, arguments: tuple[Any, ...], rows: int) -> asyncio.Future[Any]:
        """What `method` of the replica answers to `arguments`, which hold `rows` rows; or what it
        raises there; or LinkLost. A future that is cancelled stops nothing over there."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._transport is None:
            future.set_exception(LinkLost("the replica is gone"))
            return future
        call = next(self._numbers) & 0xFFFFFFFF
        self._asked[call] = future, rows
        self.rows += rows
        self._transport.write(pack(ASK, call, (method, arguments)))
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
        for future, _ in asked.values():
            if not future.done():
                future.set_exception(LinkLost("the replica went while it was asked"))

    def _answered(self, call: int, failed: bool, content: memoryview) -> None:
        future, rows = self._asked.pop(call)
        self.rows -= rows
        if not future.done():
            try:
                result = pickle.loads(content)  # noqa: S301 — see frame.py
            except Exception as error:
                failed, result = True, RuntimeError(f"unreadable answer: {type(error).__name__}")
            if failed:
                future.set_exception(result)
            else:
                future.set_result(result)
        if not self.open:
            self.hang_up()
