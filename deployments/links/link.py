"""A connection to one replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast

from deployments.links.codec import read_error, read_result, tagged
from deployments.links.message import (
    CALL,
    CLOSING,
    ERROR,
    PING,
    PONG,
    RESULT,
    BadMessage,
    Reader,
    pack,
)
from deployments.links.network.network import Network
from deployments.links.network.pulse import BEAT_S, CALLER_BEATS, Pulse
from deployments.links.peer import require_own_peer
from deployments.links.registry.interface import Entry
from fraud.errors import Unavailable

_PING = pack(PING, 0, None)


class LinkLost(Unavailable):
    """The replica ended during the call, which it may or may not have carried out."""


Retry = Callable[["asyncio.Future[Any]"], None]
"""Completes the future of a call whose replica ended, by calling another one."""


class _Call(NamedTuple):
    future: asyncio.Future[Any]
    rows: int
    retry: Retry | None


class Link(asyncio.Protocol):
    """A connection to one replica.

    Attributes:
        rows: rows in flight there from this process.
        open: whether calls may be sent.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.open = False
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, _Call] = {}
        self._numbers = count(1)
        self._pulse: Pulse | None = None

    @classmethod
    async def to(cls, path: Path) -> Link:
        """Return a link to the replica that listens at `path`.

        Raises:
            OSError: no process of this user listens there.
        """
        loop = asyncio.get_running_loop()
        transport, link = await loop.create_unix_connection(cls, str(path))
        try:
            require_own_peer(transport)
        except PermissionError:
            transport.abort()
            raise
        return link

    @classmethod
    async def over(cls, network: Network, entry: Entry) -> Link:
        """Return a link to a replica of another machine. It is lost when the replica answers no
        pings.

        Raises:
            Refused, PermissionError: what listens there is not the replica, or of another Quorum.
            OSError: nobody listens there, or is too slow.
        """
        link = await network.connect(entry.address, entry.port, entry.name, cls)
        link.ping()
        return link

    def call(
        self, method: str, arguments: tuple[Any, ...], rows: int, retry: Retry | None = None
    ) -> asyncio.Future[Any]:
        """Call a method of the replica.

        Args:
            method: its name.
            arguments: its arguments.
            rows: how many rows they hold.
            retry: called with the future if the replica ends during the call; without it the future
                holds LinkLost.

        Returns:
            A future of the result, or of the error that the method raised. Cancelling it does not
            stop the replica.
        """
        # Not a coroutine: a task for each of four votes would cost more than the call.
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._transport is None:
            future.set_exception(LinkLost("the replica is gone"))
            return future
        call = next(self._numbers) & 0xFFFFFFFF
        try:
            message = pack(CALL, call, (method, [tagged(argument) for argument in arguments]))
        except Exception as error:  # callers expect errors in the future
            future.set_exception(error)
            return future
        self._calls[call] = _Call(future, rows, retry)
        self.rows += rows
        self._transport.write(message)
        return future

    def ping(self, beat_s: float = BEAT_S) -> None:
        """Ping the replica from now on, every `beat_s`."""
        if self._transport is not None:
            self._pulse = Pulse(self._ping, self._transport.abort, CALLER_BEATS, beat_s)
            self._pulse.start()

    def hang_up(self) -> None:
        """Send no more calls. The connection is closed after the last result."""
        self.open = False
        if not self._calls and self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        try:
            for kind, call, content in self._reader.feed(data):
                if kind in (RESULT, ERROR):
                    self._complete(call, kind == ERROR, content)
                elif kind == PONG and self._pulse is not None:
                    self._pulse.heard()
                elif kind == CLOSING:
                    self.hang_up()
        except BadMessage:
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._transport = None
        if self._pulse is not None:
            self._pulse.stop()
        calls, self._calls = self._calls, {}
        self.rows = 0
        for future, _, retry in calls.values():
            if future.done():
                continue
            if retry is None:
                future.set_exception(LinkLost("the replica ended during the call"))
            else:
                retry(future)

    def _ping(self) -> None:
        if self._transport is not None:
            self._transport.write(_PING)

    def _complete(self, number: int, failed: bool, content: memoryview) -> None:
        call = self._calls.pop(number, None)
        if call is None:
            raise BadMessage(f"a result of call {number}, which is not in flight")
        future, rows, _ = call
        self.rows -= rows
        if not future.done():
            try:
                result = read_error(content) if failed else read_result(content)
            except Exception as error:
                failed, result = True, RuntimeError(f"unreadable result: {type(error).__name__}")
            if failed:
                future.set_exception(result)
            else:
                future.set_result(result)
        if not self.open:
            self.hang_up()
