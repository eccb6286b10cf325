"""What `dial` needs of redis-py beyond its documentation. If this fails after an upgrade, look at
`stores/redis/dial.py` before raising the ceiling in pyproject.toml."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from fraud.errors import StoreUnreachable
from stores.redis.dial import dial
from stores.redis.url import address_of


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server that answers every line of a command with +OK."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line.startswith(b"*"):
                writer.write(b"+OK\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_the_transport_outlives_the_object_that_opened_it(port: int) -> None:
    writer = await dial(address_of(f"redis://127.0.0.1:{port}"), 5.0)
    assert isinstance(writer, asyncio.StreamWriter)
    gc.collect()
    assert not writer.transport.is_closing()
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    class Receiver(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            received.set_result(data)

    writer.transport.set_protocol(Receiver())
    writer.transport.write(b"*1\r\n$4\r\nPING\r\n")
    assert await asyncio.wait_for(received, 5) == b"+OK\r\n"
    writer.transport.abort()


async def test_the_reader_and_the_writer_are_where_dial_takes_them_from(port: int) -> None:
    address = address_of(f"redis://127.0.0.1:{port}")
    connection = address.kind(**address.arguments, protocol=2)
    await connection.connect()
    assert isinstance(connection._reader, asyncio.StreamReader)
    assert isinstance(connection._writer, asyncio.StreamWriter)
    await connection.disconnect()


async def test_a_server_that_does_not_answer_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1") as caught:
        await dial(address_of("redis://127.0.0.1:1"), 1.0)
    assert caught.value.variable == "REDIS_URL"
