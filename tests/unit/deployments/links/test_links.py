"""Both ends of a link over a real Unix socket, on asyncio's loop and on uvloop's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from deployments.links.frame import ANSWER, ASK, pack
from deployments.links.link import Link, LinkLost
from deployments.links.linked import Linked
from deployments.links.plain import plain
from deployments.links.server import LinkServer
from deployments.links.switchboard import Switchboard, pool_name, socket_path
from fraud.errors import InvalidInput
from tests.contracts.stranger import Stranger, needs_root

POOL = pool_name("app", "Pool")


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request) -> Callable[[Coroutine[Any, Any, None]], None]:
    return request.param


@pytest.fixture
def folder():
    # pytest's own folders have names too long for sockets.
    folder = Path(tempfile.mkdtemp(prefix="quorum-links-"))
    yield folder
    shutil.rmtree(folder)


class Replica:
    """Answers with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.go_on = asyncio.Event()
        self.server = LinkServer(
            {"now": self.now, "later": self.later, "wrong": self.wrong, "odd": lambda rows: iter}
        )

    async def open(self, folder: Path) -> None:
        await self.server.open(socket_path(folder, "app", "Pool", self.name))

    def now(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        return self.name, rows

    async def later(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        await self.go_on.wait()
        return self.name, rows

    async def wrong(self, rows: list[int]) -> None:
        raise InvalidInput("no", (("/a", "b", "c"),))


async def never(*_: Any) -> Any:
    raise AssertionError("the handle was used")


async def handle(*_: Any) -> str:
    return "handle"


async def board(folder: Path | None) -> Switchboard:
    switchboard = Switchboard(folder)
    await switchboard.want(POOL)
    return switchboard


def test_concurrent_calls_each_get_their_own_answer(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        replica.go_on.set()
        switchboard = await board(folder)
        methods = [Linked(switchboard, POOL, name, never) for name in ("now", "later")]
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


def test_an_error_comes_back_as_it_is_and_nothing_else_suffers(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        link = await Link.to(socket_path(folder, "app", "Pool", "a"))
        with pytest.raises(InvalidInput) as caught:
            await link.ask("wrong", ([1],), 1)
        assert caught.value.errors == (("/a", "b", "c"),)
        with pytest.raises(KeyError):
            await link.ask("unknown", ([1],), 1)
        assert await link.ask("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await replica.server.close()

    run(test())


def test_the_replica_with_the_fewest_rows_in_hand_is_asked(folder, run):
    async def test() -> None:
        replicas = [Replica("a"), Replica("b")]
        for replica in replicas:
            await replica.open(folder)
        switchboard = await board(folder)
        assert switchboard.size(POOL) == 2
        later = Linked(switchboard, POOL, "later", never)
        first = asyncio.ensure_future(later([1, 2, 3]))
        others = []
        for _ in range(3):
            await asyncio.sleep(0.01)
            others.append(asyncio.ensure_future(later([1])))
        await asyncio.sleep(0.05)
        assert sorted(replica.calls for replica in replicas) == [1, 3]
        for replica in replicas:
            replica.go_on.set()
        await asyncio.gather(first, *others)
        await switchboard.close()
        for replica in replicas:
            await replica.server.close()

    run(test())


def test_a_replica_that_leaves_answers_what_it_was_asked_and_is_asked_no_more(folder, run):
    async def test() -> None:
        leaving, staying = Replica("a"), Replica("b")
        await leaving.open(folder)
        switchboard = await board(folder)
        under_way = asyncio.ensure_future(Linked(switchboard, POOL, "later", never)([1]))
        await asyncio.sleep(0.05)
        await staying.open(folder)
        await switchboard.look()
        closing = asyncio.ensure_future(leaving.server.close())
        await asyncio.sleep(0.05)
        assert switchboard.size(POOL) == 1
        now = Linked(switchboard, POOL, "now", never)
        assert [await now([i]) for i in range(5)] == [("b", [i]) for i in range(5)]
        assert not under_way.done()
        leaving.go_on.set()
        assert await under_way == ("a", [1])
        await closing
        assert [path.name for path in folder.iterdir()] == ["app~Pool~b.sock"]
        await switchboard.close()
        await staying.server.close()

    run(test())


def test_a_call_that_is_lost_with_its_replica_is_made_elsewhere(folder, run):
    async def test() -> None:
        dying, other = Replica("a"), Replica("b")
        await dying.open(folder)
        switchboard = await board(folder)
        call = asyncio.ensure_future(Linked(switchboard, POOL, "later", handle)([1]))
        await asyncio.sleep(0.05)
        await other.open(folder)
        other.go_on.set()
        await switchboard.look()
        await dying.server.close(patience_s=0)
        assert await call == ("b", [1])
        await switchboard.close()
        await other.server.close()

    run(test())


def test_without_links_the_handle_is_asked(folder, run):
    async def test() -> None:
        for where in (None, folder, folder / "missing"):
            switchboard = await board(where)
            assert await Linked(switchboard, POOL, "now", handle)([1]) == "handle"
            assert switchboard.alive or where is not None
            await switchboard.close()

    run(test())


def test_the_name_that_a_killed_replica_left_is_removed(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        path = socket_path(folder, "app", "Pool", "a")
        dead = socket_path(folder, "app", "Pool", "dead")
        path.rename(dead)
        replica.server._server.close()
        assert dead.exists()
        switchboard = await board(folder)
        assert switchboard.best(POOL) is None
        assert not dead.exists()
        await switchboard.close()

    run(test())


def test_nobody_listens_in_a_folder_that_others_may_enter(folder, run):
    async def test() -> None:
        folder.chmod(0o755)
        with pytest.raises(PermissionError):
            await Replica("a").open(folder)

    run(test())


def test_asking_a_replica_that_is_gone_says_so(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        link = await Link.to(socket_path(folder, "app", "Pool", "a"))
        await replica.server.close(patience_s=0)
        await asyncio.sleep(0.05)
        with pytest.raises(LinkLost):
            await link.ask("now", ([1],), 1)

    run(test())


def test_all_who_look_at_once_share_one_link_to_a_replica(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        switchboard = Switchboard(folder)
        await asyncio.gather(switchboard.want(POOL), *[switchboard.look() for _ in range(5)])
        assert switchboard.size(POOL) == 1
        await switchboard.close()
        await replica.server.close()

    run(test())


def test_a_call_that_is_lost_with_the_last_replica_is_made_over_the_handle(folder, run):
    async def test() -> None:
        dying = Replica("a")
        await dying.open(folder)
        switchboard = await board(folder)
        call = asyncio.ensure_future(Linked(switchboard, POOL, "later", handle)([1]))
        await asyncio.sleep(0.05)
        await dying.server.close(patience_s=0)
        assert await call == "handle"
        await switchboard.close()

    run(test())


def test_giving_up_a_call_that_was_lost_gives_up_the_second_one(folder, run):
    async def test() -> None:
        ended = asyncio.Event()

        async def slow_handle(*_: Any) -> None:
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

        dying = Replica("a")
        await dying.open(folder)
        switchboard = await board(folder)
        call = asyncio.ensure_future(Linked(switchboard, POOL, "later", slow_handle)([1]))
        await asyncio.sleep(0.05)
        await dying.server.close(patience_s=0)
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(ended.wait(), 1)
        await switchboard.close()

    run(test())


def test_what_cannot_be_sent_is_an_error_and_leaves_no_rows_in_hand(folder, run):
    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        link = await Link.to(socket_path(folder, "app", "Pool", "a"))
        with pytest.raises(Exception, match="lambda"):
            await link.ask("now", (lambda: None,), 1)
        assert link.rows == 0
        link.hang_up()
        await replica.server.close()

    run(test())


@needs_root
def test_another_user_is_asked_nothing_and_answered_nothing(folder, run, caplog):
    """Even where the folder and the socket would let that user in."""

    async def test() -> None:
        replica = Replica("a")
        await replica.open(folder)
        path = socket_path(folder, "app", "Pool", "a")
        folder.chmod(0o711)
        path.chmod(0o777)
        question = pack(ASK, 1, ("now", [plain([1])]))
        answers = await asyncio.to_thread(Stranger().answers, [(str(path), [question])])
        assert answers == [[b""]]
        assert replica.calls == 0
        folder.chmod(0o700)
        link = await Link.to(path)
        assert await link.ask("now", ([1],), 1) == ("a", [1])
        link.hang_up()
        await replica.server.close()

    run(test())
    assert "refused" in caplog.text


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
def test_a_replica_that_is_another_user_s_is_not_asked(folder, run):
    folder.chmod(0o711)
    place = folder / "theirs"
    place.mkdir()
    os.chown(place, 65534, 65534)
    path = place / "app~Pool~a.sock"

    async def test() -> None:
        with pytest.raises(PermissionError, match="65534"):
            await Link.to(path)
        # The folder is looked at as well, before anything in it is.
        switchboard = await board(place)
        assert switchboard.size(POOL) == 0
        await switchboard.close()

    with impostor(path):
        run(test())


def test_a_folder_that_was_swapped_is_not_looked_into(folder, run):
    async def test() -> None:
        links, theirs = folder / "links", folder / "theirs"
        links.mkdir(mode=0o700)
        replica = Replica("a")
        await replica.open(links)
        switchboard = await board(links)
        assert switchboard.size(POOL) == 1
        links.rename(theirs)
        links.symlink_to(theirs)
        again = await board(links)
        assert again.size(POOL) == 0
        for one in (switchboard, again):
            await one.close()
        await replica.server.close()

    run(test())


def test_an_answer_that_nobody_asked_for_ends_the_link(folder, run):
    async def test() -> None:
        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(pack(ANSWER, 9, plain("surprise")))

        server = await asyncio.start_unix_server(talk, folder / "x.sock")
        link = await Link.to(folder / "x.sock")
        asked = link.ask("now", ([1],), 1)
        with pytest.raises(LinkLost):
            await asked
        server.close()

    run(test())
