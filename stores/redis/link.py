"""One connection to Redis, shared by all who ask: commands go out as they come, answers come back
in their order.

`redis.asyncio` opens it (TCP, TLS or a socket file, password, database) and is out of the way from
then on: its pool, locks and retries cost more than what Redis does for a micro-batch of one row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import hiredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from fraud.errors import StoreUnavailable
from stores.redis.errors import Elsewhere, Refused, is_elsewhere, refusal, unreachable
from stores.redis.url import address_of

Command = Sequence[str | bytes | int]

# Their annotations are narrower than what they take.
_pack: Callable[[tuple[str | bytes | int, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]
_READ_BYTES = 256 * 1024
_PAUSE_S = 0.05
"""While nobody at the address is the one to ask, connections are made no faster than this."""
_KEPT_BYTES = 8 * 1024 * 1024
"""A buffer of this size is not given back between answers: those of large batches are megabytes."""


class Link:
    """A connection that never hangs, and is opened when it is needed.

    A server that says that it is not the one to ask (`stores.redis.errors.Elsewhere`) loses the
    connection: the address is looked up anew, as whoever answers there may be another one by now.

    Args:
        url: see `stores.redis.url`.
        timeout_ms: longest wait for an answer, opening the connection included. An answer that does
            not come in time closes the connection: all who wait for it go without.
        variable: the setting that `url` comes from.

    Raises:
        SettingInvalid: the address cannot be used.
    """

    def __init__(self, url: str, timeout_ms: int, variable: str = "REDIS_URL") -> None:
        self._timeout_s = timeout_ms / 1000
        self._address = address_of(url, variable)
        self._answers: _Answers | None = None
        self._opening: asyncio.Future[_Answers] | None = None
        self._not_before_s = 0.0
        self._refusal = ""

    async def call(self, *command: str | bytes | int) -> Any:
        """The answer to one command.

        Raises:
            Refused: Redis says no.
            StoreUnavailable: no answer: whether the command was carried out is unknown.
        """
        return (await self._ask(_pack(command), 1))[0]

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to commands that are sent together. Raises as `call`, for the first error."""
        if not commands:
            return []
        packed = b"".join([_pack(tuple(command)) for command in commands])
        return await self._ask(packed, len(commands))

    async def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._answers is not None:
            self._answers.end()
            self._answers = None

    async def _ask(self, packed: bytes, n: int) -> list[Any]:
        answers, is_new = self._answers, False
        try:
            async with asyncio.timeout(self._timeout_s):
                if answers is None or answers.ended:
                    answers, is_new = await self._open(), True
                replies = await answers.ask(packed, n)
                if not is_new and answers.ended and _is_nothing_done(replies):
                    answers, is_new = await self._open(), True
                    replies = await answers.ask(packed, n)
        except (RedisError, OSError, TimeoutError) as error:
            if answers is None or (answers.ended and not is_new):  # while it was opened
                raise unreachable(error, self._address.variable, self._address.place) from error
            if isinstance(error, TimeoutError):
                answers.end()
            raise StoreUnavailable(f"Redis: {type(error).__name__}") from error
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                self._refused(refusal(str(reply)), is_new)
        return replies

    def _refused(self, refusal: Refused, is_new: bool) -> NoReturn:
        if is_new and isinstance(refusal, Elsewhere):
            self._not_before_s = asyncio.get_running_loop().time() + _PAUSE_S
            self._refusal = str(refusal)
        raise refusal

    async def _open(self) -> _Answers:
        """The connection that is being opened; one is, however many ask. One that was refused a
        moment ago is not tried again at once."""
        if asyncio.get_running_loop().time() < self._not_before_s:
            raise Elsewhere(self._refusal)
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._dial())
            self._opening.add_done_callback(_look)
        # Shielded: who gives up does not take it from the others.
        return await asyncio.shield(self._opening)

    async def _dial(self) -> _Answers:
        address = self._address
        connection = address.kind(
            **address.arguments,
            protocol=2,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                await connection.connect()
        except (RedisError, OSError, TimeoutError) as error:
            raise unreachable(error, address.variable, address.place) from error
        writer = connection._writer
        # From here on it is ours: the object that opened it must not close it when it goes.
        connection._reader = connection._writer = None
        answers = _Answers(writer)
        writer.transport.set_protocol(answers)
        self._answers = answers
        return answers


def _is_nothing_done(replies: Sequence[Any]) -> bool:
    """Whether none of the commands was carried out, as Redis is not the one to ask."""
    return all(isinstance(r, hiredis.ReplyError) and is_elsewhere(str(r)) for r in replies)


def _look(opening: asyncio.Future[_Answers]) -> None:
    """An error is taken note of even if all who asked have gone."""
    if not opening.cancelled():
        opening.exception()


class _Answers(asyncio.BufferedProtocol):
    """Gives answers to those who wait for them, first come, first served.

    Args:
        writer: of the connection; kept as long as its transport is used.
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

    def ask(self, packed: bytes, n: int) -> asyncio.Future[list[Any]]:
        """Send commands. The future of their n answers."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((future, n))
        self._transport.write(packed)
        return future

    def end(self) -> None:
        """Close the connection."""
        self.ended = True
        self._transport.abort()

    def _retire(self) -> None:
        """Nobody asks any more; it is closed when all who have asked know what came of it."""
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
            refused |= isinstance(reply, hiredis.ReplyError) and is_elsewhere(str(reply))
            future, n = self._waiting[0]
            if len(replies) == n:
                self._waiting.popleft()
                if not future.done():
                    future.set_result(replies)
                self._replies = replies = []
        if refused or self.ended:
            self._retire()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.BaseProtocol: nobody waits for what will not come."""
        self.ended = True
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(ConnectionResetError("the connection is gone"))
        self._waiting.clear()
