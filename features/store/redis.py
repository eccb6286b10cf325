"""The feature store on Redis (6.2 or newer, no modules): one script call a micro-batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

import msgspec

from features.entities import ENTITIES, ROLES, Entity
from features.events import Events, Key
from features.labels import LabelEvents
from features.snapshot import N_ROLES, Snapshot
from features.store.link import Link
from features.store.names import (
    CURSOR,
    LABEL_LOG,
    STATE_TTL_S,
    aside_key,
    marker,
    state_key,
    text,
)
from features.store.protocol import Cursor, Observation, StateSource
from features.store.script import Script, source
from features.store.steps import steps
from features.store.warming import LABEL_LAYOUTS, Warming
from fraud.errors import StoreUnavailable

_MOST_EAGER = 500
"""While so many states are being rebuilt, others wait until somebody waits for them."""
_MOST_UNSEEN = 100_000
_MOST_TRIES = 6
"""A batch may find an entity cold, another one let go meanwhile, and labels learnt while it
rebuilt them; more is an eviction storm."""
_LOG_BATCHES, _LOG_TTL_S = 64, 60
"""What the feed learns while a state is rebuilt, a second or so."""
_encode = msgspec.msgpack.Encoder().encode


_ROLES = [
    (
        role.entity,
        role.name,
        state_key(role.entity, ("", ""))[:-1],
        [table.column for table in role.tables],
    )
    for role in ROLES
]
_NONE: repeat[tuple[int, ...]] = repeat(())


class RedisStore:
    """See `FeatureStore`. Keys: `q:s:<layout>:<entity>:<tenant>:<id>` hold states,
    `q:t:<schema>:<tenant>:<transaction>` what was computed for a transaction, `q:c:<layout>` how
    far labels are learnt, `q:l:<layout>` the labels learnt last, and `q:a:`, named as the state is,
    rows that were answered while it was not there (`Warming`). The cursor never expires: Redis
    must not evict keys without an expiry.

    Args:
        link: to Redis; closed by `close`.
        history: where states that Redis does not hold are rebuilt from.
        replay_ttl_s: how long a transaction id is remembered.
        rebuild_wait_ms: longest wait for states that are rebuilt: who would wait longer is answered
            without them.
    """

    def __init__(
        self,
        link: Link,
        history: StateSource,
        *,
        replay_ttl_s: int,
        rebuild_wait_ms: float = 5_000.0,
    ) -> None:
        self._link = link
        self._warming = Warming(link, history)
        self._replay_ttl_s = replay_ttl_s
        self._rebuild_wait_s = rebuild_wait_ms / 1000
        self._observe = Script(source("observe_steps"), steps(ROLES), source("observe"))
        self._learn = Script(LABEL_LAYOUTS, source("label_tiles"), source("learn"))
        self._unseen: set[str] = set()
        self._waiting: set[asyncio.Task[Observation]] = set()

    async def observe_and_fetch(self, events: Events, patient: bool = True) -> Observation:
        """See `FeatureStore`. Rows that wait for states are added to them even if the caller stops
        waiting."""
        call = _Call(events)
        try:
            if self._unseen:
                await self._forget_unseen()
            found = await self._run(call)
        except StoreUnavailable:
            self._miss(call)
            raise
        if found[0]:
            return call.observation(found[1])
        if not patient:
            return await self._observe_warm(events, call, found)
        waiting = asyncio.create_task(self._observe_cold(call, found))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return await asyncio.shield(waiting)

    async def _observe_warm(self, events: Events, whole: _Call, found: list[Any]) -> Observation:
        """Leave out the rows whose states are missing, and have these rebuilt meanwhile."""
        call, rows = whole, list(range(len(events)))
        try:
            while not found[0]:
                _, missing, seen = found
                if self._warming.under_way < _MOST_EAGER:
                    self._warming.start(call.entities(missing), call.without(seen))
                rows = [rows[i] for i in call.untouched_by(missing)]
                if not rows:
                    break
                call = _Call(events.take(rows))
                found = await self._run(call)
        except StoreUnavailable:
            self._miss(whole)
            raise
        observation = call.observation(found[1]) if rows else Observation(Snapshot.none(0))
        observed = set(rows)
        pending = tuple(i for i in range(len(events)) if i not in observed)
        return replace(observation, pending=pending)

    async def _observe_cold(self, call: _Call, found: list[Any]) -> Observation:
        """Wait for the states that are missing, but not for long."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._rebuild_wait_s
        late: frozenset[str] = frozenset()
        try:
            for _ in range(_MOST_TRIES):
                _, missing, seen = found
                late |= await self._warming.warm(
                    call.entities(missing), call.without(seen), deadline - clock()
                )
                found = await self._run(call, late)
                if found[0]:
                    return call.observation(found[1])
            raise StoreUnavailable("Redis: states vanish as soon as they are rebuilt")
        except StoreUnavailable:
            self._miss(call)
            raise

    def _miss(self, call: _Call) -> None:
        """Rows that were decided unseen would be missing from warm states for good: these states
        are dropped when Redis is back, and rebuilt from PostgreSQL."""
        if len(self._unseen) < _MOST_UNSEEN:
            self._unseen.update(call.names)

    async def _run(self, call: _Call, late: frozenset[str] = frozenset()) -> list[Any]:
        """The script's answer; states of the keys `late` may be missing."""
        keys: Sequence[str] = [*call.names, *call.markers]
        optional: tuple[bytes | str, bytes | str] = ("", "")
        if late:
            places = [i for i, name in enumerate(call.names, start=1) if name in late]
            keys = [*keys, *(aside_key(call.names[i - 1]) for i in places)]
            optional = (_encode(places), _encode(call.transactions))
        arguments = len(call.names), STATE_TTL_S, self._replay_ttl_s, call.rows
        reply: list[Any] = await self._observe.run(self._link, keys, *arguments, *optional)
        return reply

    async def cursor(self) -> Cursor:
        """How far labels are learnt; see `Warming.cursor`."""
        return await self._warming.cursor()

    async def learn(self, labels: LabelEvents) -> None:
        """See `FeatureStore`."""
        await self._learn_now(labels, "", "")

    async def learn_until(self, labels: LabelEvents, after: Cursor, until: Cursor) -> bool:
        """`learn`, and move the cursor from `after` to `until`, all at once. False, and nothing is
        learnt, if it does not stand there any more."""
        return await self._learn_now(labels, text(after), text(until))

    async def _learn_now(self, labels: LabelEvents, after: str, until: str) -> bool:
        names: dict[str, int] = {}
        rows: list[list[Any]] = []
        for i in range(len(labels)):
            touched = []
            for kind, entity in enumerate(ENTITIES, start=1):
                identity = labels.ids[entity.name][i]
                if identity is not None:
                    name = state_key(entity, (labels.tenant[i], identity))
                    touched.append([kind, names.setdefault(name, len(names) + 3)])
            previous_ms, previous_fraud = labels.previous[i] or (0, False)
            event = [labels.known_at_ms[i], int(labels.fraud[i]), labels.hundredths[i]]
            rows.append([*event, previous_ms, int(previous_fraud), touched])
        arguments = (after, until, _LOG_BATCHES, _LOG_TTL_S, _encode(rows))
        return bool(await self._learn.run(self._link, [CURSOR, LABEL_LOG, *names], *arguments))

    async def _forget_unseen(self) -> None:
        names = list(self._unseen)
        pieces = range(0, len(names), 1000)
        await self._link.calls([("UNLINK", *names[i : i + 1000]) for i in pieces])
        self._unseen.difference_update(names)

    async def remember(self, rows: Mapping[Key, bytes]) -> None:
        """See `FeatureStore`."""
        await self._link.calls(
            [("SET", marker(key), row, "XX", "KEEPTTL") for key, row in rows.items()]
        )

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        reply = await self._link.call("MGET", *(marker(key) for key in transactions))
        return [value or None for value in reply]

    async def ping(self) -> None:
        """Raises StoreUnavailable if Redis does not answer."""
        await self._link.call("PING")

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await self._warming.close()
        await self._link.close()


class _Call:
    """The arguments of one script call, and the way back from its answer to rows.

    Args:
        events: the rows.
    """

    def __init__(self, events: Events) -> None:
        self.names: list[str] = []
        self.transactions = events.transaction
        self.markers = [marker(key) for key in events.transaction]
        self._keys: list[tuple[Entity, str, str]] = []
        self._touched: list[list[list[int]]] = [[] for _ in range(len(events))]
        place: dict[str, int] = {}
        for kind, (entity, role, prefix, tables) in enumerate(_ROLES, start=1):
            columns = [events.hashes[column] for column in tables]
            hashes: Iterable[tuple[int, ...]] = zip(*columns, strict=True) if columns else _NONE
            rows = zip(events.tenant, events.ids[role], hashes, self._touched, strict=False)
            for tenant, identity, partners, touched in rows:
                if identity is None:
                    continue
                name = f"{prefix}{tenant}:{identity}"
                k = place.get(name)
                if k is None:
                    self.names.append(name)
                    self._keys.append((entity, tenant, identity))
                    place[name] = k = len(self.names)
                touched.append([kind, k, *partners])
        told = zip(events.rows(), self._touched, strict=True)
        self.rows = _encode([[*row, touched] for row, touched in told])

    def entities(self, places: Sequence[int]) -> list[tuple[Entity, Key]]:
        """Whose states the state keys `places` are, which count from 1."""
        return [(self._keys[k - 1][0], self._keys[k - 1][1:]) for k in places]

    def untouched_by(self, places: Sequence[int]) -> list[int]:
        """The rows that touch none of the state keys `places`, which count from 1."""
        missing = set(places)
        return [
            i
            for i, touched in enumerate(self._touched)
            if missing.isdisjoint([k for _, k, *_ in touched])
        ]

    def without(self, seen: Sequence[int]) -> list[Key]:
        """The transactions that are not among the rows `seen` before, which count from 1."""
        known = set(seen)
        return [key for i, key in enumerate(self.transactions, start=1) if i not in known]

    def observation(self, replies: list[Any]) -> Observation:
        """What the script replied of each row."""
        states: list[bytes | None] = [None] * (N_ROLES * len(replies))
        recorded: dict[int, bytes] = {}
        repeated = []
        whole = True
        for i, (reply, touched) in enumerate(zip(replies, self._touched, strict=True)):
            first = i * N_ROLES - 1
            kept, *found = reply
            for (kind, *_), state in zip(touched, found, strict=True):
                states[first + kind] = state
            whole = whole and None not in found
            if kept:
                recorded[i] = kept
            elif kept is not None:
                repeated.append(i)
        degraded = () if whole else ("history_unavailable",)
        return Observation(Snapshot.of(states), recorded, frozenset(repeated), degraded)
