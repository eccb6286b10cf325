"""One connection to Redis for all callers of a process: commands go out as they come, replies come
back in the same order.

redis-py opens it (`stores.redis.dial`) and is not used after that: its pool, locks and retries cost
more than Redis spends on a micro-batch of one row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import hiredis
from redis.exceptions import RedisError

from fraud.errors import StoreUnavailable
from stores.redis.dial import dial
from stores.redis.errors import NotServing, Refused, is_not_serving, refusal, unreachable
from stores.redis.url import address_of

Command = Sequence[str | bytes | int]

# The annotation of hiredis is narrower than what it accepts.
_pack: Callable[[tuple[str | bytes | int, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]
_READ_BYTES = 256 * 1024
_PAUSE_S = 0.05
"""Shortest time between two connections while the server at the address refuses to serve."""
_KEPT_BYTES = 8 * 1024 * 1024
"""hiredis keeps a buffer of up to this size between replies: large batches have megabytes."""


class RedisConnection:
    """A connection that never hangs. It is opened by the first call that needs it.

    A server that refuses to serve (`stores.redis.errors.NotServing`) loses the connection: the
    address is looked up again, as another server may be behind it by now.

    Args:
        url: see `stores.redis.url`.
        timeout_ms: longest wait for a reply, the opening of the connection included. A reply that
            is late closes the connection, and every caller that waits on it gets an error.
        variable: the setting that holds `url`.

    Raises:
        SettingInvalid: the address cannot be used.
    """

    def __init__(self, url: str, timeout_ms: int, variable: str = "REDIS_URL") -> None:
        self._timeout_s = timeout_ms / 1000
        self._address = address_of(url, variable)
        self._replies: _Replies | None = None
        self._opening: asyncio.Future[_Replies] | None = None
        self._not_before_s = 0.0
        self._refusal = ""

    async def call(self, *command: str | bytes | int) -> Any:
        """Send one command and return its reply.

        Raises:
            Refused: Redis replied with an error.
            StoreUnavailable: no reply. The command may or may not have been carried out.
        """
        return (await self._send(_pack(command), 1))[0]

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands together; return their replies or raise the first error, see `call`."""
        if not commands:
            return []
        packed = b"".join([_pack(tuple(command)) for command in commands])
        return await self._send(packed, len(commands))

    async def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._replies is not None:
            self._replies.end()
            self._replies = None

    async def _send(self, packed: bytes, n: int) -> list[Any]:
        pending, is_new = self._replies, False
        try:
            async with asyncio.timeout(self._timeout_s):
                if pending is None or pending.ended:
                    pending, is_new = await self._open(), True
                replies = await pending.send(packed, n)
                if not is_new and pending.ended and _is_nothing_done(replies):
                    pending, is_new = await self._open(), True
                    replies = await pending.send(packed, n)
        except (RedisError, OSError, TimeoutError) as error:
            if pending is None or (pending.ended and not is_new):  # while it was opened
                raise unreachable(error, self._address.variable, self._address.place) from error
            if isinstance(error, TimeoutError):
                pending.end()
            raise StoreUnavailable(f"Redis: {type(error).__name__}") from error
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                self._refuse(refusal(str(reply)), is_new)
        return replies

    def _refuse(self, refusal: Refused, is_new: bool) -> NoReturn:
        if is_new and isinstance(refusal, NotServing):
            self._not_before_s = asyncio.get_running_loop().time() + _PAUSE_S
            self._refusal = str(refusal)
        raise refusal

    async def _open(self) -> _Replies:
        """Open a connection: one, however many callers need it, and none within `_PAUSE_S` of a
        refusal."""
        if asyncio.get_running_loop().time() < self._not_before_s:
            raise NotServing(self._refusal)
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._dial())
            self._opening.add_done_callback(_retrieve_error)
        # Shielded: a caller that is cancelled must not take it from the others.
        return await asyncio.shield(self._opening)

    async def _dial(self) -> _Replies:
        writer = await dial(self._address, self._timeout_s)
        replies = _Replies(writer)
        writer.transport.set_protocol(replies)
        self._replies = replies
        return replies


def _is_nothing_done(replies: Sequence[Any]) -> bool:
    """Return whether Redis carried out none of the commands, as it refused to serve."""
    return all(isinstance(r, hiredis.ReplyError) and is_not_serving(str(r)) for r in replies)


def _retrieve_error(opening: asyncio.Future[_Replies]) -> None:
    """Keep asyncio from logging an error that no caller is left to see."""
    if not opening.cancelled():
        opening.exception()


class _Replies(asyncio.BufferedProtocol):
    """Sends commands and hands out the replies, first come, first served.

    Args:
        writer: the writer of the connection; kept as long as its transport is used.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.ended = False
        self._writer = writer
        self._transport = writer.transport
        self._reader = hiredis.Reader()
        self._reader.setmaxbuf(_KEPT_BYTES)
        self._buffer = bytearray(_READ_BYTES)
        self._waiting: deque[tuple[asyncio.Future[list[Any]], int]] = deque()
        self._replies: list[Any] = []

    def send(self, packed: bytes, n: int) -> asyncio.Future[list[Any]]:
        """Send n commands. The future holds their n replies."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((future, n))
        self._transport.write(packed)
        return future

    def end(self) -> None:
        """Close the connection."""
        self.ended = True
        self._transport.abort()

    def _retire(self) -> None:
        """Take no more commands; close when the last reply is handed out."""
        self.ended = True
        if not self._waiting:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        """See asyncio.BufferedProtocol."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """See asyncio.BufferedProtocol."""
        reader, replies, refused = self._reader, self._replies, False
        reader.feed(self._buffer, 0, nbytes)  # type: ignore[arg-type]
        while (reply := reader.gets()) is not False:
            replies.append(reply)
            refused |= isinstance(reply, hiredis.ReplyError) and is_not_serving(str(reply))
            future, n = self._waiting[0]
            if len(replies) == n:
                self._waiting.popleft()
                if not future.done():
                    future.set_result(replies)
                self._replies = replies = []
        if refused or self.ended:
            self._retire()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.BaseProtocol: every caller that waits gets an error."""
        self.ended = True
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(ConnectionResetError("the connection is gone"))
        self._waiting.clear()
