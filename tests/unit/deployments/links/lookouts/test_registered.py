"""Replicas of other machines, as they come and go in the registry."""

from __future__ import annotations

import asyncio
import socket

from deployments.links.lookouts.registered import RegisteredLookout
from deployments.links.registry.interface import Entry
from deployments.links.table import LinkTable
from tests.contracts.links import CALLERS_MACHINE, POOL, OtherMachine, Replica, board, look
from tests.contracts.waiting import until


def test_links_stay_while_the_registry_is_away_and_when_an_entry_is_missing(run, caplog):
    async def test() -> None:
        place, first, second = OtherMachine(), Replica("a"), Replica("b")
        await first.open(place)
        switchboard = await board(place)
        place.registry.away = True
        await switchboard.start()
        switchboard._polls[0]._interval_s = 0.01
        switchboard._polls[0].wake()
        await asyncio.sleep(0.3)
        link = switchboard.best(POOL)
        assert link is not None
        assert await link.call("now", ([1],), 1) == ("a", [1])
        place.registry.away = False
        await place.registry.withdraw(f"{POOL}~a")
        await second.open(place)
        await until(lambda: switchboard.size(POOL) == 2)
        assert switchboard.alive
        await switchboard.close()
        for replica in (first, second):
            await replica.server.close()

    run(test())
    assert [record.message for record in caplog.records] == [
        "links to other machines fails: Redis: away",
        "links to other machines works again",
    ]


def test_only_watched_pools_of_other_machines_are_connected(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        asked = []
        # Whoever connects to these would be heard here.
        for name, address in [("app~Other~x", "127.0.0.3"), (f"{POOL}~own", CALLERS_MACHINE)]:
            listening = socket.create_server((address, 0))
            listening.setblocking(False)
            asked.append(listening)
            port = listening.getsockname()[1]
            await place.registry.announce(Entry(name, address, port, "n3"))
        switchboard = await board(place)
        await switchboard.look()
        await asyncio.sleep(0.2)
        for listening in asked:
            try:
                listening.accept()
            except BlockingIOError:
                listening.close()
            else:
                raise AssertionError("it was connected")
        await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_machine_that_does_not_answer_keeps_no_other_waiting(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("b")
        with socket.create_server(("127.0.0.4", 0)) as silent:
            port = silent.getsockname()[1]
            await place.registry.announce(Entry(f"{POOL}~a", "127.0.0.4", port, "n4"))
            await replica.open(place)
            async with asyncio.timeout(1):
                switchboard = await board(place, 1)
            # The same one is not connected to twice at a time, and not waited for at the end.
            await switchboard.look()
            assert len(switchboard._registered._connecting) == 1
            async with asyncio.timeout(1):
                await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_wrong_pepper_and_a_dead_port_leave_no_flood_in_the_log(run, caplog):
    async def test() -> None:
        place, theirs = OtherMachine(), Replica("a")
        other = OtherMachine("another pepper")
        other.registry = place.registry
        await theirs.open(other)
        await place.registry.announce(Entry(f"{POOL}~dead", "127.0.0.5", 9, "n5"))
        switchboard = place.board()
        await switchboard.watch(POOL)
        for _ in range(20):
            await switchboard.look()
            await asyncio.sleep(0.01)
        assert switchboard.best(POOL) is None
        await switchboard.close()
        await theirs.server.close()

    run(test())
    callers, replicas = sorted(
        record.message for record in caplog.records if record.levelname == "WARNING"
    )
    assert callers.startswith("no link: to 127.0.0.2")
    assert "QUORUM_KEY_PEPPER" in callers
    assert replicas == "refused a link: 127.0.0.1: it hung up before it proved itself"


def test_a_replica_that_moved_is_connected_again(run):
    async def test() -> None:
        place, first = OtherMachine(), Replica("a")
        await first.open(place)
        switchboard = await board(place)
        await first.server.close()
        await until(lambda: switchboard.size(POOL) == 0)
        again = Replica("a")
        await again.open(place)
        await look(switchboard, 1)
        await switchboard.close()
        await again.server.close()

    run(test())


def test_a_table_has_each_replica_once(run):
    async def test() -> None:
        place, replica = OtherMachine(), Replica("a")
        await replica.open(place)
        table = LinkTable()
        lookout = RegisteredLookout(place.callers, {POOL}, table)
        await asyncio.gather(*[lookout.look() for _ in range(5)])
        await until(lambda: table.size(POOL) == 1)
        await lookout.look()
        assert table.size(POOL) == 1
        await lookout.close()
        table.hang_up()
        await replica.server.close()

    run(test())
