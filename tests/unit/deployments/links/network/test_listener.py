"""A port at which callers prove themselves, and what strangers get there."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import replace

import pytest

from deployments.links.link import Link
from deployments.links.message import CALL, VERSION, pack
from deployments.links.network import listener as module
from deployments.links.network.listener import Listener
from deployments.links.network.proof import HELLO_BYTES, Prover, Refused
from tests.contracts.links import PEPPER, POOL, OtherMachine, Replica
from tests.contracts.ports import free_ports
from tests.contracts.waiting import until

NAME = f"{POOL}~a"
CALL_NOW = pack(CALL, 1, ("now", [(0, [1])]))


async def answer(place: OtherMachine, *sent: bytes) -> bytes:
    """All that a caller gets which sends some bytes one after the other."""
    entry = await place.entry("a")
    reader, writer = await asyncio.open_connection(entry.address, entry.port)
    for part in sent:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.05)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        [b"GET / HTTP/1.1\r\nHost: quorum\r\n\r\n" + b" " * HELLO_BYTES],
        [b"\x16\x03\x01" + bytes(200)],
        [CALL_NOW * 10],
        [bytes(HELLO_BYTES)],
        [b"x" * 1_000_000],
        [Prover(PEPPER).hello(f"{POOL}~b")[1]],
        [Prover(PEPPER).hello(NAME)[1] + CALL_NOW],
    ],
    ids=["http", "tls", "calls", "zeros", "flood", "another replica", "calls with the hello"],
)
def test_what_is_no_hello_gets_no_word(run, sent):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        assert await answer(place, *sent) == b""
        assert replica.calls == 0
        # It is there for others.
        link = await place.link("a")
        assert await link.call("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await replica.server.close()

    run(test())


def test_a_hello_without_the_right_proof_gets_no_answer_to_its_calls(run, caplog):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        _, hello = Prover("another pepper").hello(NAME)
        for proof in (b"x" * 32, bytes(32)):
            assert len(await answer(place, hello, proof + CALL_NOW)) == HELLO_BYTES
        assert replica.calls == 0
        await replica.server.close()

    run(test())
    assert "QUORUM_KEY_PEPPER" in caplog.text
    assert len(caplog.records) == 1


def test_a_recorded_conversation_cannot_be_repeated(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        recorded: list[bytes] = []
        entry = await place.entry("a")

        async def spy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, to = await asyncio.open_connection(entry.address, entry.port)

            async def back() -> None:
                while data := await there.read(4096):
                    writer.write(data)

            task = asyncio.create_task(back())
            while data := await reader.read(4096):
                recorded.append(data)
                to.write(data)
            to.close()
            await task
            writer.close()

        server = await asyncio.start_server(spy, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = await place.callers.connect("127.0.0.1", port, NAME, Link)
        assert await link.call("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await until(lambda: not link.open)
        server.close()
        assert len(recorded) >= 2
        assert len(await answer(place, *recorded)) == HELLO_BYTES
        assert replica.calls == 1
        await replica.server.close()

    run(test())


@pytest.mark.parametrize(
    "sent",
    [b"", b"Q", Prover(PEPPER).hello(NAME)[1][:-1]],
    ids=["nothing", "a byte", "all but a byte"],
)
def test_half_a_hello_is_cut_off_in_time(run, sent, caplog):
    async def test() -> None:
        place, replica = OtherMachine(proof_s=0.3), Replica("a")
        await replica.open(place)
        async with asyncio.timeout(5):
            assert await answer(place, sent) == b""
        await replica.server.close()

    run(test())
    assert "did not prove itself in 0.3 s" in caplog.text


def test_a_caller_that_is_slow_byte_by_byte_is_cut_off_in_time(run):
    async def test() -> None:
        place, replica = OtherMachine(proof_s=0.3), Replica("a")
        await replica.open(place)
        entry = await place.entry("a")
        reader, writer = await asyncio.open_connection(entry.address, entry.port)
        _, hello = Prover(PEPPER).hello(NAME)
        began = asyncio.get_running_loop().time()
        for i in range(len(hello)):
            writer.write(hello[i : i + 1])
            await asyncio.sleep(0.05)
            if reader.at_eof() or writer.is_closing():
                break
        assert asyncio.get_running_loop().time() - began < 2
        writer.close()
        await replica.server.close()

    run(test())


def test_another_version_is_told_ours_and_refused(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        entry = await place.entry("a")
        newer = replace(place.callers, prover=Prover(PEPPER, version=VERSION + 1))
        with pytest.raises(Refused, match=f"version {VERSION}, we {VERSION + 1}"):
            await Link.over(newer, entry)
        await replica.server.close()

    run(test())


def test_connections_without_proof_are_limited_and_the_proved_are_not(run, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNPROVED", 5)

    async def test() -> None:
        place, replica = OtherMachine(proof_s=1.0), Replica("a")
        await replica.open(place)
        proved = [await place.link("a") for _ in range(8)]
        entry = await place.entry("a")
        idle = [await asyncio.open_connection(entry.address, entry.port) for _ in range(9)]
        # The last four are closed at once, the first five after their time.
        async with asyncio.timeout(0.8):
            for reader, _ in idle[5:]:
                with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                    await reader.readexactly(1)
        assert not any(reader.at_eof() for reader, _ in idle[:5])
        assert await proved[0].call("now", ([1],), 1) == ("a", [1])
        with pytest.raises(OSError):  # noqa: PT011 - whichever way the connection ends
            await place.link("a")
        for reader, _ in idle[:5]:
            assert await reader.read() == b""
        proved.append(await place.link("a"))
        for link in proved:
            link.hang_up()
        for _, writer in idle:
            writer.close()
        await replica.server.close()

    run(test())


def test_each_listener_takes_a_port_of_the_range_until_there_is_none(run):
    async def test() -> None:
        first, last = sorted(free_ports(2))
        place = [Listener(Prover("p"), None, NAME, asyncio.Protocol) for _ in range(3)]
        ports = {listener.open("127.0.0.1", (first, last)) for listener in place[:2]}
        assert ports == {first, last}
        with pytest.raises(OSError, match="QUORUM_LINK_PORTS: no port of"):
            place[2].open("127.0.0.1", (first, last))
        for listener in place:
            await listener.close()
        again = Listener(Prover("p"), None, NAME, asyncio.Protocol)
        assert again.open("127.0.0.1", (first,)) == first
        await again.close()

    run(test())


def test_an_address_of_another_machine_is_an_error(run):
    async def test() -> None:
        listener = Listener(Prover("p"), None, NAME, asyncio.Protocol)
        with pytest.raises(OSError, match=r"QUORUM_HOST: 192\.0\.2\.1: ") as caught:
            listener.open("192.0.2.1", (20_000, 20_001))
        assert caught.value.errno == errno.EADDRNOTAVAIL
        await listener.close()

    run(test())


def test_small_messages_are_not_held_back(run):
    """Both ends send at once what they have: TCP_NODELAY."""

    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        link = await place.link("a")
        await until(lambda: bool(replica.server._peers))
        (peer,) = replica.server._peers
        for end in (link, peer):
            assert end._transport is not None
            descriptor = end._transport.get_extra_info("socket").fileno()
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as own:
                assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        link.hang_up()
        await replica.server.close()

    run(test())
