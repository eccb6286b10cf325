"""The feature store on Redis (6.2 or newer, no modules): one script call a micro-batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from features.definitions import LAYOUT_ID, SCHEMA_ID
from features.entities import ENTITIES, Entity
from features.events import Events, Key
from features.store.protocol import Observation, StateSource
from fraud.errors import StoreUnavailable

STATE_TTL_S = 14 * 86_400
"""An entity that nobody touches for two weeks is let go: PostgreSQL has its history."""

_MOST_UNSEEN = 100_000
_MOST_TRIES = 4
"""A batch may find an entity cold, and another one let go meanwhile; more is an eviction storm."""
_SCRIPT = files("features.store").joinpath("observe.lua").read_text()
_LAYOUTS = [
    [
        [[ring.offset + 1, ring.tile_ms, ring.slots] for ring in entity.rings],
        [[table.offset + 1, table.capacity] for table in entity.tables],
    ]
    for entity in ENTITIES
]
_encode = msgspec.msgpack.Encoder().encode


def connect(url: str, timeout_ms: int) -> Redis:
    """A client that never hangs: no retries of its own, every wait bounded by `timeout_ms`."""
    seconds = timeout_ms / 1000
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        max_connections=64,
    )


class RedisStore:
    """See `FeatureStore`. Keys: `q:s:<layout>:<entity>:<tenant>:<id>` hold states,
    `q:t:<schema>:<tenant>:<transaction>` what was computed for a transaction.

    Args:
        client: from `connect`; closed by `close`.
        source: where states that Redis does not hold are rebuilt from.
        timeout_ms: longest wait for one call.
        replay_ttl_s: how long a transaction id is remembered.
    """

    def __init__(
        self, client: Redis, source: StateSource, *, timeout_ms: int, replay_ttl_s: int
    ) -> None:
        self._client = client
        self._source = source
        self._timeout_s = timeout_ms / 1000
        self._replay_ttl_s = replay_ttl_s
        self._sha = ""
        self._unseen: set[str] = set()

    async def observe_and_fetch(self, events: Events) -> Observation:
        """See `FeatureStore`."""
        call = _Call(events)
        lost: frozenset[str] = frozenset()
        try:
            if self._unseen:
                await self._forget_unseen()
            for _ in range(_MOST_TRIES):
                found, body = await self._run(call)
                if found:
                    return call.observation(body, ("history_unavailable",) if lost else ())
                lost |= await self._warm([call.keys[i - 1] for i in body], events)
                call = _Call(events, lost)
            raise StoreUnavailable("Redis: states vanish as soon as they are rebuilt")
        except StoreUnavailable:
            # Rows that were decided unseen would be missing from warm states for good: these
            # states are dropped when Redis is back, and rebuilt from PostgreSQL.
            if len(self._unseen) < _MOST_UNSEEN:
                self._unseen.update(call.names)
            raise

    async def _run(self, call: _Call) -> tuple[int, list[Any]]:
        head = _encode([len(call.names), STATE_TTL_S, self._replay_ttl_s, _LAYOUTS])
        keys = [*call.names, *call.markers]
        arguments: list[str | bytes] = [*keys, head, _encode(call.rows)]
        async with self._answering():
            try:
                reply = await self._client.evalsha(self._sha, len(keys), *arguments)
            except NoScriptError:
                self._sha = await self._client.script_load(_SCRIPT)
                reply = await self._client.evalsha(self._sha, len(keys), *arguments)
        return int(reply[0]), reply[1]

    async def _warm(self, cold: Sequence[tuple[Entity, Key]], events: Events) -> frozenset[str]:
        """Rebuild states from the source; returns the state keys that cannot be had now."""
        fresh: dict[str, bytes] = {}
        lost: set[str] = set()
        for entity in ENTITIES:
            keys = [key for e, key in cold if e is entity]
            if not keys:
                continue
            names = [_state_key(entity, key) for key in keys]
            try:
                states = await self._source.rebuild(entity, keys, events.transaction)
            except StoreUnavailable:
                lost.update(names)
                continue
            fresh.update(zip(names, states, strict=True))
        await self._pipeline(
            [("SET", name, state, "EX", STATE_TTL_S, "NX") for name, state in fresh.items()]
        )
        return frozenset(lost)

    async def _forget_unseen(self) -> None:
        names = list(self._unseen)
        await self._pipeline([("UNLINK", *names[i : i + 1000]) for i in range(0, len(names), 1000)])
        self._unseen.difference_update(names)

    async def remember(self, rows: Mapping[Key, bytes]) -> None:
        """See `FeatureStore`."""
        ttl_s = self._replay_ttl_s
        await self._pipeline(
            [("SET", _marker(key), row, "XX", "EX", ttl_s) for key, row in rows.items()]
        )

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        markers = [_marker(key) for key in transactions]
        async with self._answering():
            reply: Any = await self._client.mget(markers)
        return [value or None for value in reply]

    async def _pipeline(self, commands: Sequence[tuple[Any, ...]]) -> None:
        if not commands:
            return
        async with self._answering():
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            await pipeline.execute()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Bound the wait; what goes wrong inside becomes StoreUnavailable."""
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Redis: {type(error).__name__}") from error

    async def ping(self) -> None:
        """Raises StoreUnavailable if Redis does not answer."""
        await self._pipeline([("PING",)])

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class _Call:
    """The arguments of one script call, and the way back from its answer to rows.

    Args:
        events: the rows.
        without: state keys to leave out: neither read nor written.
    """

    def __init__(self, events: Events, without: frozenset[str] = frozenset()) -> None:
        self.names: list[str] = []
        self.keys: list[tuple[Entity, Key]] = []
        self.markers = [_marker(key) for key in events.transaction]
        self.rows: list[list[Any]] = []
        self._touched: list[list[str]] = []
        place: dict[str, int] = {}
        for i in range(len(events)):
            touched, names = [], []
            for kind, entity in enumerate(ENTITIES, start=1):
                identity = events.ids[entity.name][i]
                if identity is None:
                    continue
                key = (events.tenant[i], identity)
                name = _state_key(entity, key)
                if name in without:
                    continue
                if name not in place:
                    self.names.append(name)
                    self.keys.append((entity, key))
                    place[name] = len(self.names)
                touched.append([kind, place[name], *events.partners(entity, i)])
                names.append(entity.name)
            self.rows.append([events.at_ms[i], events.hundredths[i], events.squares[i], touched])
            self._touched.append(names)

    def observation(self, replies: list[Any], degraded: tuple[str, ...]) -> Observation:
        states: dict[str, list[bytes | None]] = {
            entity.name: [None] * len(replies) for entity in ENTITIES
        }
        recorded: dict[int, bytes] = {}
        repeated = []
        for i, (reply, names) in enumerate(zip(replies, self._touched, strict=True)):
            for name, state in zip(names, reply[1:], strict=True):
                states[name][i] = state
            if reply[0]:
                recorded[i] = reply[0]
            elif reply[0] is not None:
                repeated.append(i)
        return Observation(states, recorded, frozenset(repeated), degraded)


def _state_key(entity: Entity, key: Key) -> str:
    return f"q:s:{LAYOUT_ID}:{entity.name}:{key[0]}:{key[1]}"


def _marker(key: Key) -> str:
    return f"q:t:{SCHEMA_ID}:{key[0]}:{key[1]}"
