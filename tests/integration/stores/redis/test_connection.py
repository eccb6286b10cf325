"""The connection to Redis: replies reach their callers, whatever is cut off meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fraud.errors import StoreUnavailable
from stores.redis.connection import RedisConnection, Refused
from stores.redis.script import Script


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(redis_url, timeout_ms=30_000)
    await connection.call("FLUSHALL")
    yield connection
    await connection.close()


async def test_every_caller_gets_its_own_reply(connection: RedisConnection) -> None:
    async def ask(i: int) -> bool:
        found = await connection.calls([("ECHO", f"{i}-{k}") for k in range(i % 4)])
        return found == [f"{i}-{k}".encode() for k in range(i % 4)]

    assert all(await asyncio.gather(*(ask(i) for i in range(200))))


async def test_a_cancelled_call_does_not_take_the_reply_of_another(
    connection: RedisConnection,
) -> None:
    asked = [asyncio.create_task(connection.call("ECHO", str(i))) for i in range(20)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert found[1::2] == [str(i).encode() for i in range(1, 20, 2)]
    assert all(isinstance(answer, asyncio.CancelledError) for answer in found[::2])


async def test_large_replies_arrive_complete(connection: RedisConnection) -> None:
    value = bytes(range(256)) * 8_000
    await connection.call("SET", "large", value)
    assert await connection.calls([("GET", "large"), ("ECHO", "after")]) == [value, b"after"]


async def test_an_error_of_redis_is_raised_and_does_not_harm_others(
    connection: RedisConnection,
) -> None:
    with pytest.raises(Refused, match="wrong number of arguments"):
        await connection.calls([("ECHO", "before"), ("GET",), ("ECHO", "after")])
    assert await connection.call("ECHO", "still here") == b"still here"


async def test_a_late_reply_is_an_error_and_the_next_call_opens_a_connection(
    redis_url: str, connection: RedisConnection
) -> None:
    impatient = RedisConnection(redis_url, timeout_ms=100)
    await impatient.call("PING")
    late = [asyncio.create_task(impatient.call("BLPOP", "nothing", 0)) for _ in range(2)]
    found = await asyncio.gather(*late, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in found)
    assert await impatient.call("ECHO", "new") == b"new"
    await impatient.close()


async def test_a_cut_connection_is_an_error_and_is_opened_again(
    redis_url: str, connection: RedisConnection
) -> None:
    mine = await connection.call("CLIENT", "ID")
    waiting = asyncio.create_task(connection.call("BLPOP", "nothing", 0))
    await asyncio.sleep(0)
    other = RedisConnection(redis_url, timeout_ms=30_000)
    assert await other.call("CLIENT", "KILL", "ID", mine) == 1
    with pytest.raises(StoreUnavailable):
        await waiting
    assert await connection.call("ECHO", "again") == b"again"
    await other.close()


async def test_no_redis_is_an_error_at_once() -> None:
    connection = RedisConnection("redis://127.0.0.1:1", timeout_ms=1_000)
    found = await asyncio.gather(
        *(connection.call("PING") for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(answer, StoreUnavailable) for answer in found)
    await connection.close()


async def test_a_wrong_password_is_an_error(redis_url: str) -> None:
    connection = RedisConnection(redis_url.replace("@", "wrong@"), timeout_ms=1_000)
    with pytest.raises(StoreUnavailable):
        await connection.call("PING")
    await connection.close()


async def test_a_script_that_redis_has_forgotten_is_loaded_again(
    connection: RedisConnection,
) -> None:
    script = Script("local answer = ARGV[1]", "return answer")
    assert await script.run(connection, [], "one") == b"one"
    await connection.call("SCRIPT", "FLUSH")
    assert await script.run(connection, [], "two") == b"two"
