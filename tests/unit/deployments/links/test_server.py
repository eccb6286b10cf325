"""The methods of a replica over a real Unix socket."""

from __future__ import annotations

import asyncio

import pytest

from deployments.links.codec import tagged
from deployments.links.link import Link
from deployments.links.linked_method import LinkedMethod
from deployments.links.message import CALL, pack
from deployments.links.names import socket_path
from deployments.links.network import pulse
from tests.contracts.links import POOL, OtherMachine, Replica, ThisMachine, board, look, never
from tests.contracts.stranger import Stranger, needs_root
from tests.contracts.waiting import until


def test_a_replica_that_closes_answers_its_calls_and_gets_no_more(place, run):
    async def test() -> None:
        leaving, staying = Replica("a"), Replica("b")
        await leaving.open(place)
        switchboard = await board(place)
        under_way = asyncio.ensure_future(LinkedMethod(switchboard.best, POOL, "later", never)([1]))
        await until(lambda: leaving.calls == 1)
        await staying.open(place)
        await look(switchboard, 2)
        closing = asyncio.ensure_future(leaving.server.close())
        await until(lambda: switchboard.size(POOL) == 1)
        now = LinkedMethod(switchboard.best, POOL, "now", never)
        assert [await now([i]) for i in range(5)] == [("b", [i]) for i in range(5)]
        assert not under_way.done()
        leaving.go_on.set()
        assert await under_way == ("a", [1])
        await closing
        await switchboard.close()
        await staying.server.close()

    run(test())


def test_no_socket_is_opened_in_a_folder_that_others_may_enter(folder, run):
    async def test() -> None:
        folder.chmod(0o755)
        with pytest.raises(PermissionError):
            await Replica("a").open(ThisMachine(folder))

    run(test())


@needs_root
def test_another_user_gets_no_answer(folder, run, caplog):
    """Another user is refused even if folder and socket would admit that user."""

    async def test() -> None:
        replica = Replica("a")
        await replica.open(ThisMachine(folder))
        path = socket_path(folder, f"{POOL}~a")
        folder.chmod(0o711)
        path.chmod(0o777)
        question = pack(CALL, 1, ("now", [tagged([1])]))
        answers = await asyncio.to_thread(Stranger().answers, [(str(path), [question])])
        assert answers == [[b""]]
        assert replica.calls == 0
        folder.chmod(0o700)
        link = await Link.to(path)
        assert await link.call("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await replica.server.close()

    run(test())
    assert "refused" in caplog.text


def test_a_caller_that_stops_pinging_is_given_up(run, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_S", 0.05)

    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        entry = await place.entry("a")
        silent = await place.callers.connect(entry.address, entry.port, entry.name, Link)
        await until(lambda: len(replica.server._peers) == 1)
        await until(lambda: not replica.server._peers, timeout_s=20)
        await until(lambda: not silent.open)
        await replica.server.close()

    run(test())


def test_a_replica_listens_on_both_ways_at_once(folder, run):
    async def test() -> None:
        here, there, replica = ThisMachine(folder), OtherMachine(), Replica("a")
        for place in (here, there):
            await replica.open(place)
        links = [await place.link("a") for place in (here, there)]
        for link in links:
            assert await link.call("now", ([1],), 1) == ("a", [1])
            assert await link.call("who", (), 0) == "a"
        closing = asyncio.ensure_future(replica.server.close())
        await closing
        assert not any(link.open for link in links)
        with pytest.raises(OSError):  # noqa: PT011 - refused, or hung up
            await there.link("a")

    run(test())
