"""A refusal to serve closes the connection; every other error keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import hiredis
import pytest

from fraud.errors import StoreUnavailable
from stores.redis import connection as connection_module
from stores.redis.connection import RedisConnection
from stores.redis.errors import NotServing, Refused
from tests.contracts.waiting import PATIENCE_S


@dataclass
class Server:
    """Sends given replies, one text for each connection in turn, the last one for all others.

    Attributes:
        port: of 127.0.0.1.
        answers: the replies to a command.
        asked: the connection's number of each command.
    """

    answers: list[str]
    port: int = 0
    asked: list[int] = field(default_factory=list)
    connections: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        commands = hiredis.Reader()
        while data := await reader.read(65536):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                setting_up = command[0] in (b"CLIENT", b"SELECT")
                if not setting_up:
                    self.asked.append(number)
                said = "+OK" if setting_up else self.answers[min(number, len(self.answers) - 1)]
                writer.write(f"{said}\r\n".encode())
        writer.close()


@asynccontextmanager
async def serving(*answers: str) -> AsyncIterator[tuple[Server, RedisConnection]]:
    server = Server(list(answers))
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    connection = RedisConnection(f"redis://127.0.0.1:{server.port}", 30_000)
    yield server, connection
    await connection.close()
    listening.close()


NOT_ME = [
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOAUTH Authentication required.",
    "NOREPLICAS Not enough good replicas to write.",
    "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.",
    "UNBLOCKED force unblock from blocking operation, instance state changed",
    "CLUSTERDOWN The cluster is down",
    "MOVED 3999 127.0.0.1:6381",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ERR max number of clients reached",
    "ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -READONLY You can't"
    " write against a read only replica.",
    "READONLY You can't write against a read only replica. script: f_1, on @user_script:1.",
]
ME = [
    "ERR wrong number of arguments for 'get' command",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "NOSCRIPT No matching script. Please use EVAL.",
    "BUSY Redis is busy running a script.",
    "ERR Error running script (call to f_1): @user_script:3: my READONLYNESS is my own",
    "ERR a value that says -READONLY is no reason",
]


@pytest.mark.parametrize("said", NOT_ME)
async def test_a_new_connection_that_refuses_to_serve_is_closed(said: str) -> None:
    async with serving(f"-{said}", "+OK") as (server, connection):
        with pytest.raises(NotServing):
            await connection.call("SET", "x", "1")
        async with asyncio.timeout(PATIENCE_S):
            while server.connections < 2:
                with suppress(NotServing):
                    await connection.call("SET", "x", "1")
                await asyncio.sleep(0.01)
        found = await asyncio.gather(*(connection.call("SET", "x", str(i)) for i in range(20)))
        assert found == [b"OK"] * 20
        assert server.connections == 2


@pytest.mark.parametrize("said", NOT_ME)
async def test_an_old_connection_that_refuses_is_replaced_unnoticed(said: str) -> None:
    async with serving("+OK", "+OK") as (server, connection):
        await connection.call("PING")
        server.answers[0] = f"-{said}"
        found = await asyncio.gather(*(connection.call("SET", "x", str(i)) for i in range(20)))
        assert found == [b"OK"] * 20
        assert server.connections == 2
        assert len(server.asked) == 41


@pytest.mark.parametrize("said", ME)
async def test_an_answer_of_its_own_keeps_the_connection(said: str) -> None:
    async with serving(f"-{said}") as (server, connection):
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                await connection.call("SET", "x", "1")
            assert not isinstance(refused.value, NotServing)
        assert server.connections == 1


@pytest.mark.parametrize("said", NOT_ME[:4])
async def test_a_refusal_by_both_servers_is_raised(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_PAUSE_S", 60.0)
    async with serving(f"-{said}") as (server, connection):
        with pytest.raises(NotServing):
            await connection.call("SET", "x", "1")
        with pytest.raises(NotServing):  # a moment later no server is called
            await connection.call("SET", "x", "1")
        assert server.connections == 1


async def test_a_refusal_to_a_cancelled_call_closes_the_connection() -> None:
    async with serving("+OK", "+OK") as (server, connection):
        await connection.call("PING")
        server.answers[0] = f"-{NOT_ME[0]}"
        asked = asyncio.create_task(connection.call("SET", "x", "1"))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert await connection.call("SET", "x", "2") == b"OK"
        assert server.connections == 2


async def test_a_command_cut_off_midway_is_not_repeated() -> None:
    """The result is unknown: another server could carry it out twice."""
    async with serving("+OK", "+OK") as (server, connection):
        await connection.call("PING")
        server.answers[0] = "+OK"
        waiting = asyncio.create_task(connection.call("SET", "x", "1"))
        await asyncio.sleep(0)
        assert connection._replies is not None
        connection._replies.end()
        with pytest.raises(StoreUnavailable):
            await waiting
        assert 1 not in server.asked
