"""What a replica answers over links."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CoroutineType
from typing import Any, cast

from deployments.links.codec import error_out, plain, read_question, whole
from deployments.links.frame import ANSWER, ASK, ERROR, LEAVING, BadFrame, Reader, pack
from deployments.links.peer import require_own_folder, require_own_peer
from fraud.errors import Overloaded

logger = logging.getLogger(__name__)

_MOST_CALLS = 512


class LinkServer:
    """Serves methods of one replica at a socket of its own.

    Args:
        methods: name -> method, plain or a coroutine; what it raises goes to who asked.
    """

    def __init__(self, methods: Mapping[str, Callable[..., Any]]) -> None:
        self._methods = methods
        self._peers: set[_Peer] = set()
        self._tasks: set[asyncio.Future[None]] = set()
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._leaving = False

    async def open(self, path: Path) -> None:
        """Listen at `path`, whose folder is made if need be and is for this user alone.

        Raises:
            OSError: it cannot be listened there, or the folder is another user's.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_own_folder(path.parent)
        # Under its name only when it answers: a name that refuses connections is a dead replica's.
        coming = path.with_suffix(".new")
        coming.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Peer(self), str(coming))
        coming.rename(path)
        self._path = path

    async def close(self, patience_s: float = 5.0) -> None:
        """Take no more from now on, and return when everything that was asked is answered and
        everybody who asked is gone; after `patience_s` at the latest."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._leaving = True
        for peer in self._peers:
            peer.send(pack(LEAVING, 0, None))
        # Whoever has just connected may not have been let in yet: let them in, to send them away.
        await asyncio.sleep(0.01)
        if waiting := [*self._tasks, *(peer.gone for peer in self._peers)]:
            await asyncio.wait(waiting, timeout=patience_s)
        for peer in list(self._peers):
            peer.hang_up()
        if self._server is not None:
            self._server.close()

    def joined(self, peer: _Peer) -> None:
        """Somebody connected."""
        if self._leaving:
            peer.hang_up()  # came through the door as it closed
        self._peers.add(peer)

    def left(self, peer: _Peer) -> None:
        """Somebody is gone. What was asked is finished all the same: others may travel in it."""
        self._peers.discard(peer)

    def asked(self, peer: _Peer, call: int, content: memoryview) -> None:
        """Answer a call, at once if its method is a plain function."""
        try:
            method, arguments = read_question(content)
            if len(self._tasks) >= _MOST_CALLS:
                raise Overloaded("too many calls are under way", 1.0)
            result = self._methods[method](*[whole(*argument) for argument in arguments])
        except Exception as error:
            peer.send(_refusal(call, error))
            return
        if isinstance(result, CoroutineType):
            task = asyncio.create_task(self._finish(peer, call, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            peer.send(pack(ANSWER, call, plain(result)))

    async def _finish(self, peer: _Peer, call: int, coming: Any) -> None:
        try:
            message = pack(ANSWER, call, plain(await coming))
        except Exception as error:
            message = _refusal(call, error)
        peer.send(message)


class _Peer(asyncio.Protocol):
    """A connection of somebody who asks; `gone` is done when it is closed."""

    def __init__(self, server: LinkServer) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server = server
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        coming = cast(asyncio.Transport, transport)
        try:
            require_own_peer(coming)
        except PermissionError as error:
            logger.warning("refused: %s", error)
            coming.abort()
            return
        self._transport = coming
        self._server.joined(self)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return  # refused: nothing of it is read
        try:
            for kind, call, content in self._reader.feed(data):
                if kind == ASK:
                    self._server.asked(self, call, content)
        except BadFrame as error:
            logger.warning("a link sends no messages: %s", error)
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.left(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def send(self, message: bytes) -> None:
        """Send, if anybody is still there."""
        if self._transport is not None:
            self._transport.write(message)

    def hang_up(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def _refusal(call: int, error: Exception) -> bytes:
    try:
        return pack(ERROR, call, error_out(error))
    except Exception:  # one of its arguments cannot be sent
        return pack(ERROR, call, error_out(RuntimeError(type(error).__name__)))
