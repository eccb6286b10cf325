"""One method of a pool: over links, else over the handle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deployments.links.linked_method import LinkedMethod
from deployments.links.switchboard import Switchboard
from tests.contracts.links import (
    POOL,
    OtherMachine,
    Replica,
    ThisMachine,
    board,
    handle,
    look,
    never,
)
from tests.contracts.replica_process import replica_process
from tests.contracts.waiting import until


def test_concurrent_calls_each_get_their_own_result(place, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(place)
        replica.go_on.set()
        switchboard = await board(place)
        methods = [LinkedMethod(switchboard.best, POOL, name, never) for name in ("now", "later")]
        sizes = [1, 70_000, 3, 20_000]  # some larger than a socket's buffer
        rows = [[i] * sizes[i % len(sizes)] for i in range(40)]
        answers = await asyncio.gather(*[methods[i % 2](mine) for i, mine in enumerate(rows)])
        assert answers == [("a", mine) for mine in rows]
        link = switchboard.best(POOL)
        assert link is not None
        assert link.rows == 0
        await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_call_lost_with_its_replica_is_made_to_another(place, run):
    async def test() -> None:
        dying, other = Replica("a"), Replica("b")
        await dying.open(place)
        switchboard = await board(place)
        call = asyncio.ensure_future(LinkedMethod(switchboard.best, POOL, "later", handle)([1]))
        await until(lambda: dying.calls == 1)
        await other.open(place)
        other.go_on.set()
        await look(switchboard, 2)
        await dying.server.close(patience_s=0)
        assert await call == ("b", [1])
        await switchboard.close()
        await other.server.close()

    run(test())


def test_without_links_the_handle_is_called(folder, place, run):
    async def test() -> None:
        for switchboard in (
            Switchboard(None),
            await board(place, 0),
            await board(ThisMachine(folder / "missing"), 0),
        ):
            assert await LinkedMethod(switchboard.best, POOL, "now", handle)([1]) == "handle"
            await switchboard.close()

    run(test())


def test_a_call_lost_with_the_last_replica_is_made_over_the_handle(place, run):
    async def test() -> None:
        dying = Replica("a")
        await dying.open(place)
        switchboard = await board(place)
        call = asyncio.ensure_future(LinkedMethod(switchboard.best, POOL, "later", handle)([1]))
        await until(lambda: dying.calls == 1)
        await dying.server.close(patience_s=0)
        assert await call == "handle"
        await switchboard.close()

    run(test())


def test_cancelling_a_lost_call_cancels_the_second_one(place, run):
    async def test() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def slow_handle(*_: Any) -> None:
            began.set()
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

        dying = Replica("a")
        await dying.open(place)
        switchboard = await board(place)
        call = asyncio.ensure_future(
            LinkedMethod(switchboard.best, POOL, "later", slow_handle)([1])
        )
        await until(lambda: dying.calls == 1)
        await dying.server.close(patience_s=0)
        await until(began.is_set)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(ended.is_set)
        await switchboard.close()

    run(test())


def test_a_method_without_arguments_carries_no_rows(place, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(place)
        switchboard = await board(place)
        call = LinkedMethod(switchboard.best, POOL, "who", never)()
        link = switchboard.best(POOL)
        assert link is not None
        assert link.rows == 0
        assert await call == "a"
        await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_method_of_this_machine_goes_to_no_other(folder, run):
    async def test() -> None:
        here, there = ThisMachine(folder), OtherMachine()
        local, distant = Replica("local"), Replica("distant")
        await distant.open(there)
        switchboard = Switchboard(folder, there.callers)
        await switchboard.watch(POOL)
        await look(switchboard, 1)
        best = LinkedMethod(switchboard.best, POOL, "who", never)
        nearest = LinkedMethod(switchboard.nearest, POOL, "who", handle)
        assert await best() == "distant"
        assert await nearest() == "handle"
        await local.open(here)
        await switchboard.look()
        assert await best() == await nearest() == "local"
        await switchboard.close()
        for replica in (local, distant):
            await replica.server.close()

    run(test())


@pytest.mark.slow
def test_a_call_to_a_machine_that_falls_silent_is_made_to_another(run):
    """No call goes there any more after 5 s, and the one in flight waits for less."""

    async def test() -> None:
        place, other = OtherMachine(), Replica("b")
        other.go_on.set()
        with replica_process("a") as dying:
            await place.registry.announce(dying.entry)
            switchboard = await board(place)
            later = LinkedMethod(switchboard.best, POOL, "later", never)
            call = asyncio.ensure_future(later([1]))
            await other.open(place)
            await look(switchboard, 2)
            await switchboard.start()
            loop = asyncio.get_running_loop()
            dying.freeze()
            began = loop.time()
            assert await call == ("b", [1])
            assert loop.time() - began < 5
            assert switchboard.size(POOL) == 1
            # Its entry may be fresh still; connecting to it fails.
            calls = [await later([i]) for i in range(20)]
            assert calls == [("b", [i]) for i in range(20)]
            await switchboard.close()
        await other.server.close()

    run(test())
