"""A proxy that counts bytes."""

from __future__ import annotations

import asyncio

from loadtests.capacity.measure.counting_proxy import counting


async def test_bytes_are_counted_and_passed_on_both_ways() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(2 * await reader.readexactly(5))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with counting(f"redis://:pass@127.0.0.1:{port}/3") as traffic:
        assert traffic.url.startswith("redis://:pass@127.0.0.1:")
        assert traffic.url.endswith("/3")
        own = int(traffic.url.rpartition(":")[2].partition("/")[0])
        assert own != port
        reader, writer = await asyncio.open_connection("127.0.0.1", own)
        writer.write(b"hello")
        assert await reader.read() == b"hellohello"
        writer.close()
    assert (traffic.sent, traffic.received) == (5, 10)
    server.close()
