"""A connection to one replica over a real Unix socket."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.links.codec import tagged
from deployments.links.link import Link, LinkLost
from deployments.links.message import RESULT, pack
from deployments.links.network.proof import Refused
from deployments.links.registry.interface import Entry
from fraud.errors import InvalidInput
from tests.contracts.links import POOL, OtherMachine, Replica, ThisMachine, board
from tests.contracts.replica_process import replica_process
from tests.contracts.stranger import needs_root
from tests.contracts.waiting import until

NAME = f"{POOL}~a"


def test_an_error_arrives_as_it_was_raised_and_the_link_goes_on(place, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(place)
        link = await place.link("a")
        with pytest.raises(InvalidInput) as caught:
            await link.call("wrong", ([1],), 1)
        assert caught.value.errors == (("/a", "b", "c"),)
        with pytest.raises(KeyError):
            await link.call("unknown", ([1],), 1)
        assert await link.call("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await replica.server.close()

    run(test())


def test_a_call_to_a_replica_that_is_gone_is_an_error(place, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(place)
        link = await place.link("a")
        await replica.server.close(patience_s=0)
        await until(lambda: not link.open)
        with pytest.raises(LinkLost):
            await link.call("now", ([1],), 1)

    run(test())


def test_a_value_that_cannot_be_sent_is_an_error_and_leaves_no_rows_in_flight(place, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(place)
        link = await place.link("a")
        with pytest.raises(Exception, match="lambda"):
            await link.call("now", (lambda: None,), 1)
        assert link.rows == 0
        link.hang_up()
        await replica.server.close()

    run(test())


def test_a_result_without_a_call_ends_the_link(folder, run):
    async def test() -> None:
        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(pack(RESULT, 9, tagged("surprise")))

        server = await asyncio.start_unix_server(talk, folder / "x.sock")
        link = await Link.to(folder / "x.sock")
        asked = link.call("now", ([1],), 1)
        with pytest.raises(LinkLost):
            await asked
        server.close()

    run(test())


@contextmanager
def impostor(path: Path) -> Iterator[None]:
    """Another user listens at `path`."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import os, socket, sys; os.setgid(65534); os.setuid(65534);"
            "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
            "print(flush=True); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


@needs_root
def test_a_replica_of_another_user_is_not_called(folder, run):
    folder.chmod(0o711)
    theirs = folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    path = theirs / "app~Pool~a.sock"

    async def test() -> None:
        with pytest.raises(PermissionError, match="65534"):
            await Link.to(path)
        # The folder is looked at as well, before anything in it is.
        switchboard = await board(ThisMachine(theirs), 0)
        assert switchboard.size(POOL) == 0
        await switchboard.close()

    with impostor(path):
        run(test())


def test_a_replica_of_another_pepper_is_not_called(run):
    async def test() -> None:
        theirs, ours = OtherMachine("another pepper"), OtherMachine()
        replica = Replica("a")
        await replica.open(theirs)
        with pytest.raises(Refused, match="QUORUM_KEY_PEPPER"):
            await Link.over(ours.callers, await theirs.entry("a"))
        await replica.server.close()

    run(test())


def test_a_port_that_another_replica_has_taken_is_not_called(run):
    async def test() -> None:
        place, other = OtherMachine(), Replica("b")
        await other.open(place)
        stale = replace(await place.entry("b"), name=f"{POOL}~a")
        with pytest.raises(ConnectionError):
            await Link.over(place.callers, stale)
        await other.server.close()

    run(test())


def test_a_host_that_does_not_answer_is_given_up_in_time(run):
    """As one behind a cut cable: the port is open, and nobody accepts or answers."""

    async def test() -> None:
        place = OtherMachine(proof_s=0.3)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            with pytest.raises(TimeoutError):
                await Link.over(place.callers, Entry(f"{POOL}~a", "127.0.0.1", port, "n2"))

    run(test())


@pytest.mark.slow
def test_a_replica_that_answers_no_pings_is_lost_with_its_calls(run):
    async def test() -> None:
        place = OtherMachine()
        with replica_process("a") as replica:
            link = await Link.over(place.callers, replica.entry)
            assert await link.call("now", ([1],), 1) == ("a", [1])
            await asyncio.sleep(1.5)
            assert link.open
            replica.freeze()
            loop = asyncio.get_running_loop()
            began = loop.time()
            call = link.call("now", ([1],), 1)
            with pytest.raises(LinkLost):
                await call
            assert 2.0 < loop.time() - began < 5.0
            assert not link.open
            assert link.rows == 0
            # The process is there again, but the link is not: nothing is called twice.
            replica.thaw()
            with pytest.raises(LinkLost):
                await link.call("now", ([1],), 1)

    run(test())


def test_pings_keep_a_link_that_carries_nothing(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        link = await place.callers.connect("127.0.0.2", (await place.entry("a")).port, NAME, Link)
        link.ping(beat_s=0.01)
        await asyncio.sleep(0.5)
        assert link.open
        link.hang_up()
        await replica.server.close()

    run(test())
