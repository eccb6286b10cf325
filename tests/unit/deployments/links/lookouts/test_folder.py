"""Replicas of this machine, as their sockets come and go in a folder."""

from __future__ import annotations

import asyncio

from deployments.links.names import socket_path
from deployments.links.switchboard import Switchboard
from tests.contracts.links import POOL, Replica, ThisMachine, board


def test_the_socket_of_a_killed_replica_is_removed(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(ThisMachine(folder))
        path = socket_path(folder, f"{POOL}~a")
        dead = socket_path(folder, f"{POOL}~dead")
        path.rename(dead)
        replica.server._server.close()
        assert dead.exists()
        switchboard = await board(ThisMachine(folder), 0)
        assert switchboard.best(POOL) is None
        assert not dead.exists()
        await switchboard.close()

    run(test())


def test_looks_at_the_same_time_make_one_link_to_a_replica(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(ThisMachine(folder))
        switchboard = Switchboard(folder)
        await asyncio.gather(switchboard.watch(POOL), *[switchboard.look() for _ in range(5)])
        assert switchboard.size(POOL) == 1
        await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_folder_replaced_by_a_link_is_not_used(folder, run):
    async def test() -> None:
        links, theirs = folder / "links", folder / "theirs"
        links.mkdir(mode=0o700)
        replica = Replica("a")
        await replica.open(ThisMachine(links))
        switchboard = await board(ThisMachine(links))
        assert switchboard.size(POOL) == 1
        links.rename(theirs)
        links.symlink_to(theirs)
        again = await board(ThisMachine(links), 0)
        assert again.size(POOL) == 0
        for one in (switchboard, again):
            await one.close()
        await replica.server.close()

    run(test())
