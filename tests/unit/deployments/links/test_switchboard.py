"""The links of a process, as replicas come and go."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deployments.links.linked_method import LinkedMethod
from deployments.links.names import pool_name, replica_name, socket_path
from deployments.links.switchboard import Switchboard
from tests.contracts.links import POOL, OtherMachine, Replica, ThisMachine, board, look, never
from tests.contracts.waiting import until


def test_the_replica_with_the_fewest_rows_in_flight_is_called(place, run):
    async def test() -> None:
        replicas = [Replica("a"), Replica("b")]
        for replica in replicas:
            await replica.open(place)
        switchboard = await board(place, 2)
        assert switchboard.size(POOL) == 2
        later = LinkedMethod(switchboard.best, POOL, "later", never)
        first = asyncio.ensure_future(later([1, 2, 3]))
        others = []
        for asked in range(1, 4):
            await until(lambda: sum(replica.calls for replica in replicas) == asked)  # noqa: B023
            others.append(asyncio.ensure_future(later([1])))
        await until(lambda: sum(replica.calls for replica in replicas) == 4)
        assert sorted(replica.calls for replica in replicas) == [1, 3]
        for replica in replicas:
            replica.go_on.set()
        await asyncio.gather(first, *others)
        await switchboard.close()
        for replica in replicas:
            await replica.server.close()

    run(test())


def test_a_pool_with_a_long_name_is_called(folder, run):
    async def test() -> None:
        application = f"variant-{'x' * 64}.V2fd6da9b13f3.T{'t' * 64}"
        replica = Replica("a")
        await replica.server.open(socket_path(folder, replica_name(application, "Variant", "a")))
        pool = pool_name(application, "Variant")
        switchboard = Switchboard(folder)
        await switchboard.watch(pool)
        assert await LinkedMethod(switchboard.best, pool, "now", never)([1]) == ("a", [1])
        await switchboard.close()
        await replica.server.close()

    run(test())


async def both(folder: Path, enough_rows: int = 4) -> tuple[Switchboard, Replica, Replica]:
    """Links to a replica of this machine and to one of another."""
    here, there = ThisMachine(folder), OtherMachine()
    local, distant = Replica("local"), Replica("distant")
    await local.open(here)
    await distant.open(there)
    switchboard = Switchboard(folder, there.callers, enough_rows)
    await switchboard.watch(POOL)
    await switchboard.look()
    await until(lambda: switchboard._elsewhere.size(POOL) == 1)
    return switchboard, local, distant


async def end(switchboard: Switchboard, *replicas: Replica) -> None:
    await switchboard.close()
    for replica in replicas:
        replica.go_on.set()
        await replica.server.close()


def test_this_machine_wins_until_it_has_enough_rows(folder, run):
    async def test() -> None:
        switchboard, local, distant = await both(folder, enough_rows=4)
        later = LinkedMethod(switchboard.best, POOL, "later", never)
        calls = []
        for rows, where in [
            (3, local),  # 0 rows there
            (2, local),  # 3, fewer than enough
            (1, distant),  # 5 here, none elsewhere
            (6, distant),  # 5 here, 1 elsewhere
            (1, local),  # 5 here, 7 elsewhere: all have enough, this one has less
        ]:
            before = where.calls
            calls.append(asyncio.ensure_future(later([0] * rows)))
            await until(lambda: where.calls == before + 1)  # noqa: B023
        for replica in (local, distant):
            replica.go_on.set()
        await asyncio.gather(*calls)
        assert await later([1]) == ("local", [1])
        await end(switchboard, local, distant)

    run(test())


def test_other_machines_count_only_while_there_is_no_replica_here(folder, run):
    async def test() -> None:
        switchboard, local, distant = await both(folder)
        second = Replica("second")
        await second.open(ThisMachine(folder))
        await look(switchboard, 2)
        await second.server.close()
        assert switchboard.size(POOL) == 1
        assert switchboard.nearest(POOL) is not None
        await local.server.close()
        assert switchboard.size(POOL) == 1
        assert switchboard.nearest(POOL) is None
        assert await LinkedMethod(switchboard.best, POOL, "who", never)() == "distant"
        await distant.server.close()
        await until(lambda: switchboard.size(POOL) == 0)
        assert switchboard.best(POOL) is None
        await end(switchboard)

    run(test())


def test_it_looks_by_itself_until_it_is_closed(folder, run):
    async def test() -> None:
        here, there = ThisMachine(folder), OtherMachine()
        local, distant = Replica("local"), Replica("distant")
        switchboard = Switchboard(folder, there.callers)
        assert Switchboard(None).alive
        assert not switchboard.alive
        await switchboard.start()
        await switchboard.watch(POOL)
        await distant.open(there)
        await until(lambda: switchboard.best(POOL) is not None)
        assert switchboard.nearest(POOL) is None
        await local.open(here)
        await until(lambda: switchboard.nearest(POOL) is not None)
        assert switchboard.alive
        await end(switchboard, local, distant)
        assert not switchboard.alive

    run(test())
