"""A TCP proxy that counts bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_READ_BYTES = 256 * 1024


@dataclass(slots=True)
class Traffic:
    """Bytes that have passed.

    Attributes:
        url: the server's URL, through the proxy.
        sent, received: towards the server, and back.
    """

    url: str
    sent: int = 0
    received: int = 0


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[Traffic]:
    """Yield a proxy in front of the server at `url`, on a free port of this machine."""
    parts = urlsplit(url)
    traffic = Traffic("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(parts.hostname, parts.port)

        def sent(n: int) -> None:
            traffic.sent += n

        def received(n: int) -> None:
            traffic.received += n

        await asyncio.gather(_copy(reader, ours, sent), _copy(theirs, writer, received))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    who, _, _ = parts.netloc.rpartition("@")
    traffic.url = parts._replace(netloc=f"{who}@127.0.0.1:{port}").geturl()
    try:
        yield traffic
    finally:
        server.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]
) -> None:
    with suppress(OSError):
        while data := await reader.read(_READ_BYTES):
            count(len(data))
            writer.write(data)
            await writer.drain()
    writer.close()
