"""Behind one address the primary changes place: everything that writes follows, without a restart.

Two real Redis behind a proxy: connections that are there stay with the old primary, as they do with
every managed Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from cluster.embedded import EmbeddedRedis
from features.label_feed import LabelFeed
from features.service import FeatureService
from features.state.events import Events
from features.store.keys import CURSOR
from features.store.postgres import PostgresHistory
from features.store.redis import RedisStore
from fraud.access.tiers import Quota, Tier
from fraud.errors import StoreUnavailable
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from serve_app.gateway.auth import Principal
from serve_app.gateway.ratelimit import limits as limits_module
from serve_app.gateway.ratelimit.interface import AdmissionRequest, Sender
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.ratelimit.redis import RedisLimiter
from stores.redis.connection import RedisConnection
from stores.redis.errors import NotServing
from stores.redis.script import Script
from tests.contracts.payments import payments
from tests.contracts.proxy import Proxy, proxy_to
from tests.contracts.waiting import until
from tests.integration.features.store.test_redis import insert

SOON_S = 60.0
"""Only a real failure takes so long."""


@pytest.fixture(scope="module")
def pair(stores_folder: Path) -> Iterator[tuple[EmbeddedRedis, EmbeddedRedis]]:
    """Two servers with one password."""
    folder = stores_folder / "pair"
    servers = tuple(EmbeddedRedis(folder / name, throwaway=True) for name in "ab")
    servers[0].start()
    # B asks for the password that A has: clients have one address and one password.
    there = (folder / "a" / "endpoint.json").read_text()
    (folder / "b").mkdir()
    (folder / "b" / "endpoint.json").write_text(there)
    servers[1].start()
    yield servers  # type: ignore[misc]
    for server in servers:
        server.stop()


class Pair:
    """A, the primary that clients reach, and B, its replica; then the other way round."""

    def __init__(self, a: EmbeddedRedis, b: EmbeddedRedis, proxy: Proxy) -> None:
        self.proxy = proxy
        self.ports = [urlsplit(server.url).port or 0 for server in (a, b)]
        self.password = urlsplit(a.url).password or ""
        self.connections = [RedisConnection(server.url, 30_000) for server in (a, b)]
        self.url = proxy.url(a.url)

    @property
    def b(self) -> RedisConnection:
        return self.connections[1]

    async def begin(self) -> None:
        """A is empty, and B is its replica."""
        for connection in self.connections:
            await connection.call("REPLICAOF", "NO", "ONE")
            await connection.call("FLUSHALL")
            await connection.call("SCRIPT", "FLUSH")
            await connection.call("CONFIG", "SET", "masterauth", self.password)
        await self._follow(1, 0)

    async def fail_over(self, *, reachable: bool = True) -> None:
        """B becomes the primary and A its replica; new connections reach B, if it is
        `reachable`."""
        await self.b.call("REPLICAOF", "NO", "ONE")
        if reachable:
            self.proxy.target = self.ports[1]
        await self.connections[0].call("REPLICAOF", "127.0.0.1", self.ports[1])

    async def _follow(self, replica: int, primary: int) -> None:
        await self.connections[replica].call("REPLICAOF", "127.0.0.1", self.ports[primary])
        async with asyncio.timeout(30):
            said = b""
            while b"master_link_status:up" not in said:
                await asyncio.sleep(0.05)
                said = await self.connections[replica].call("INFO", "replication")

    async def caught_up(self) -> None:
        """B has all data of A."""
        assert await self.connections[0].call("WAIT", 1, 10_000) == 1

    async def close(self) -> None:
        for connection in self.connections:
            await connection.close()


@pytest.fixture
async def servers(pair: tuple[EmbeddedRedis, EmbeddedRedis]) -> AsyncIterator[Pair]:
    async with proxy_to(pair[0].url) as proxy:
        servers = Pair(*pair, proxy)
        await servers.begin()
        yield servers
        await servers.close()


@pytest.fixture
async def connection(servers: Pair) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(servers.url, 30_000)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        await pool.execute("TRUNCATE transactions, labels, decisions")
        yield pool


@pytest.fixture
async def store(connection: RedisConnection, pool: asyncpg.Pool) -> AsyncIterator[RedisStore]:
    store = RedisStore(connection, PostgresHistory(pool), replay_ttl_s=600)
    yield store
    await store.close()


async def test_a_write_goes_to_the_new_primary_at_once(
    servers: Pair, connection: RedisConnection
) -> None:
    await connection.call("SET", "before", "1")
    await servers.fail_over()
    await connection.call("SET", "after", "1")
    assert await servers.b.call("GET", "after") == b"1"


async def test_concurrent_writes_are_written_once_each(
    servers: Pair, connection: RedisConnection
) -> None:
    """A refused command is not carried out: the other server may get it."""
    await asyncio.gather(*(connection.call("INCR", "n") for _ in range(50)))
    await servers.caught_up()
    await servers.fail_over()
    found = await asyncio.gather(*(connection.call("INCR", "n") for _ in range(50)))
    assert sorted(found) == list(range(51, 101))
    assert await servers.b.call("GET", "n") == b"100"
    assert servers.proxy.connections == 2


async def test_commands_sent_together_go_to_the_new_primary(
    servers: Pair, connection: RedisConnection
) -> None:
    await connection.calls([("SET", "x", "1"), ("SET", "y", "1")])
    await servers.fail_over()
    await connection.calls([("SET", "x", "2"), ("SET", "y", "2")])
    assert await servers.b.call("MGET", "x", "y") == [b"2", b"2"]


async def test_one_of_them_refused_is_an_error_and_the_next_ones_reach_the_new_primary(
    servers: Pair, connection: RedisConnection
) -> None:
    """The old primary answered a read among writes: the caller gets the error and may retry."""
    await connection.call("SET", "x", "1")
    await servers.fail_over()
    with pytest.raises(NotServing, match="READONLY"):
        await connection.calls([("GET", "x"), ("SET", "x", "2")])
    assert await connection.calls([("GET", "x"), ("SET", "x", "2")]) == [b"1", b"OK"]


async def test_a_script_is_loaded_anew(servers: Pair, connection: RedisConnection) -> None:
    script = Script("redis.call('GET', KEYS[1])", "return redis.call('SET', KEYS[1], ARGV[1])")
    await script.run(connection, ["x"], "before")
    await servers.fail_over()
    await script.run(connection, ["x"], "after")
    assert await servers.b.call("GET", "x") == b"after"


async def test_without_a_primary_calls_fail_and_connections_are_few(
    servers: Pair, connection: RedisConnection
) -> None:
    await connection.call("SET", "x", "1")
    await servers.fail_over(reachable=False)
    before, refused = servers.proxy.connections, 0
    now = asyncio.get_running_loop().time
    began = now()
    while now() - began < 0.5 or refused <= 50:
        with pytest.raises(NotServing, match="READONLY"):
            await connection.call("SET", "x", "2")
        refused += 1
        await asyncio.sleep(0.001)
    # One each 50 ms, however many ask.
    assert servers.proxy.connections - before <= 2 + (now() - began) / 0.05
    servers.proxy.target = servers.ports[1]
    await _soon(lambda: connection.call("SET", "x", "3"))
    assert await servers.b.call("GET", "x") == b"3"


async def _soon(ask: Callable[[], Awaitable[object]]) -> None:
    """Repeat the request until there is an answer."""
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                await ask()
                return
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def test_the_rate_limiter_counts_on_the_new_primary(
    servers: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_module, "REGISTER_EVERY_S", 0.05)
    limiter = RateLimits(RedisLimiter(RedisConnection(servers.url, 30_000)), "me")
    limiter.start()
    rows = [Transaction(f"t{i}", f"c{i}", 0, 100, "EUR", "purchase") for i in range(3)]
    asked = [(Principal("k", "acme", "free"), TransactionBatch.of("acme", rows))]
    assert await limiter.admit(asked) == {}
    await servers.fail_over()
    assert await limiter.admit(asked) == {}
    await until(lambda: not limiter.is_local, timeout_s=SOON_S)
    assert await limiter.admit(asked) == {}
    assert not limiter.is_local
    assert await servers.b.call("KEYS", "q:r:key:*k")
    async with asyncio.timeout(SOON_S):
        fronts: list[bytes] = []
        while b"me" not in fronts:
            fronts = await servers.b.call("ZRANGE", "q:r:fronts", 0, -1)
            await asyncio.sleep(0.02)
    await limiter.close()


async def test_no_row_is_refused_or_counted_twice_by_a_failover(
    servers: Pair, connection: RedisConnection
) -> None:
    tier = Tier("t", Quota(100, 600), None)
    limiter = RedisLimiter(connection)
    ask = AdmissionRequest.of([Sender("k", "acme", tier, ["c"] * 10)])
    first = await limiter.admit(ask)
    await servers.caught_up()
    await servers.fail_over()
    second = await limiter.admit(ask)
    assert [v.usage[0].remaining for v in (first, second)] == [90, 80]


async def test_window_state_is_read_and_written_on_the_new_primary(
    servers: Pair, store: RedisStore
) -> None:
    batch = payments(60, seed=1, late=0.0, duplicate=0.0)
    first, second = batch.slice(0, 30), batch.slice(30, 60)
    await store.observe_and_fetch(Events.of(first))
    await servers.caught_up()
    await servers.fail_over()
    observation = await store.observe_and_fetch(Events.of(second))
    assert observation.degraded == {}
    again = await store.observe_and_fetch(Events.of(second))
    assert again.repeated  # once each, whoever is asked
    await store.ready()


async def test_states_that_are_missing_are_rebuilt_on_the_new_primary(
    servers: Pair, store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(40, seed=2, late=0.0, duplicate=0.0)
    await store.ready()
    await insert(pool, batch)
    await servers.fail_over()
    at_ms = max(batch.timestamp_ms) + 1_000
    new = replace(
        batch,
        transaction_id=[f"new-{t}" for t in batch.transaction_id],
        timestamp_ms=[at_ms] * len(batch),
    )
    observation = await store.observe_and_fetch(Events.of(new))
    assert observation.degraded == {}
    assert await servers.b.call("DBSIZE") > 40


async def test_remembered_features_are_written_to_the_new_primary(
    servers: Pair, store: RedisStore
) -> None:
    await store.ready()
    await servers.fail_over()
    await store.remember("receipt", [("acme", "t-1")], b"1234")
    assert await servers.b.call("KEYS", "q:k:*receipt")


async def test_labels_are_learnt_on_the_new_primary(
    servers: Pair, store: RedisStore, pool: asyncpg.Pool
) -> None:
    batch = payments(30, seed=3, late=0.0, duplicate=0.0)
    feed = LabelFeed(pool, store)
    assert await feed.step(datetime.now(UTC)) == 0  # the cursor is there
    await insert(pool, batch)
    await servers.caught_up()
    before = await servers.b.call("GET", CURSOR)
    await servers.fail_over()
    soon = datetime.now(UTC) + timedelta(days=1)
    for i in range(5):
        await pool.execute(
            "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
            " VALUES ($1, $2, true, now(), 'bank')",
            *(batch.tenant[i], batch.transaction_id[i]),
        )
    learnt = 0
    async with asyncio.timeout(SOON_S):
        while learnt < 5:
            learnt += await feed.step(soon)
    assert learnt == 5
    assert await servers.b.call("GET", CURSOR) != before


async def test_a_replica_that_answers_is_not_ready(servers: Pair, store: RedisStore) -> None:
    service = FeatureService(store)
    await service.ready()
    await servers.fail_over(reachable=False)
    assert await servers.connections[0].call("PING") == b"PONG"
    with pytest.raises(StoreUnavailable, match="READONLY"):
        await service.ready()
    servers.proxy.target = servers.ports[1]
    await _soon(service.ready)
    assert 0 < await servers.b.call("TTL", "q:p") <= 60
