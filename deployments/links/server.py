"""Serves the methods of a replica over links."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CoroutineType
from typing import Any, cast

from deployments.links.codec import error_value, read_call, tagged, untagged
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
from deployments.links.network.listener import Listener
from deployments.links.network.network import Network
from deployments.links.network.pulse import REPLICA_BEATS, Pulse
from deployments.links.peer import require_own_folder, require_own_peer
from fraud.errors import Overloaded

logger = logging.getLogger(__name__)

_MAX_CALLS = 512
_PONG = pack(PONG, 0, None)


class LinkServer:
    """Serves methods of one replica at a Unix socket, a TCP port, or both.

    Args:
        methods: name -> function or coroutine function. Its errors are sent to the caller.
    """

    def __init__(self, methods: Mapping[str, Callable[..., Any]]) -> None:
        self._methods = methods
        self._peers: set[_Peer] = set()
        self._tasks: set[asyncio.Future[None]] = set()
        self._server: asyncio.Server | None = None
        self._listener: Listener | None = None
        self._path: Path | None = None
        self._leaving = False

    async def open(self, path: Path) -> None:
        """Listen at `path`. Its folder is made if need be, for this user alone.

        Raises:
            OSError: the socket cannot be opened, or the folder is another user's.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_own_folder(path.parent)
        # It gets its name only when it listens: callers remove a socket that refuses connections.
        unnamed = path.with_suffix(".new")
        unnamed.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Peer(self), str(unnamed))
        unnamed.rename(path)
        self._path = path

    def listen(self, network: Network, name: str) -> int:
        """Listen for the other machines too, as the replica `name`. Return the port.

        Raises:
            OSError: no port is free.
        """
        self._listener, port = network.listener(name, lambda: _DistantPeer(self))
        return port

    async def close(self, patience_s: float = 5.0) -> None:
        """Accept no more calls. Return when all calls are answered and all callers have hung up, or
        after `patience_s`."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._leaving = True
        for peer in self._peers:
            peer.send(pack(CLOSING, 0, None))
        # A caller that has just connected may not be accepted yet: wait for it.
        await asyncio.sleep(0.01)
        if waiting := [*self._tasks, *(peer.gone for peer in self._peers)]:
            await asyncio.wait(waiting, timeout=patience_s)
        for peer in list(self._peers):
            peer.hang_up()
        if self._server is not None:
            self._server.close()
        if self._listener is not None:
            await self._listener.close()

    def joined(self, peer: _Peer) -> None:
        """Note that a caller connected."""
        if self._leaving:
            peer.hang_up()
        self._peers.add(peer)

    def left(self, peer: _Peer) -> None:
        """Note that a caller is gone. Its calls go on: they may hold rows of other clients."""
        self._peers.discard(peer)

    def call(self, peer: _Peer, call: int, content: memoryview) -> None:
        """Carry out a call, at once if its method is a function."""
        try:
            method, arguments = read_call(content)
            if len(self._tasks) >= _MAX_CALLS:
                raise Overloaded("too many calls are in flight", 1.0)
            result = self._methods[method](*[untagged(*argument) for argument in arguments])
        except Exception as error:
            peer.send(_failure(call, error))
            return
        if isinstance(result, CoroutineType):
            task = asyncio.create_task(self._finish(peer, call, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            peer.send(pack(RESULT, call, tagged(result)))

    async def _finish(self, peer: _Peer, call: int, result: Any) -> None:
        try:
            message = pack(RESULT, call, tagged(await result))
        except Exception as error:
            message = _failure(call, error)
        peer.send(message)


class _Peer(asyncio.Protocol):
    """A caller's connection; `gone` is done when it is closed."""

    def __init__(self, server: LinkServer) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = server
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connected = cast(asyncio.Transport, transport)
        try:
            require_own_peer(connected)
        except PermissionError as error:
            logger.warning("refused: %s", error)
            connected.abort()
            return
        self._join(connected)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return  # refused: read nothing
        try:
            for kind, call, content in self._reader.feed(data):
                if kind == CALL:
                    self._server.call(self, call, content)
                elif kind == PING:
                    self._pinged()
        except BadMessage as error:
            logger.warning("a link sends messages that are not of Quorum: %s", error)
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.left(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def send(self, message: bytes) -> None:
        """Send a message, if the connection is still open."""
        if self._transport is not None:
            self._transport.write(message)

    def hang_up(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _join(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._server.joined(self)

    def _pinged(self) -> None:
        self.send(_PONG)


class _DistantPeer(_Peer):
    """A caller on another machine, which has proved itself and pings."""

    def __init__(self, server: LinkServer) -> None:
        super().__init__(server)
        self._pulse = Pulse(lambda: None, self._abandon, REPLICA_BEATS)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._join(cast(asyncio.Transport, transport))
        self._pulse.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._pulse.stop()
        super().connection_lost(exc)

    def _pinged(self) -> None:
        self._pulse.heard()
        super()._pinged()

    def _abandon(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _failure(call: int, error: Exception) -> bytes:
    try:
        return pack(ERROR, call, error_value(error))
    except Exception:  # one of its arguments cannot be sent
        return pack(ERROR, call, error_value(RuntimeError(type(error).__name__)))
