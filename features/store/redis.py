"""The feature store on Redis (6.2 or newer, no modules): one script call a micro-batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from features.definitions import SCHEMA_ID
from features.entities import ENTITIES, KEPT, LAYOUT_ID, ROLES, Entity
from features.events import Events, Key
from features.labels import LabelEvents
from features.snapshot import N_ROLES, Snapshot
from features.store.link import Link
from features.store.protocol import Cursor, Observation, StateSource
from features.store.script import Script, constant, source
from features.store.steps import steps
from fraud.errors import StoreUnavailable

STATE_TTL_S = 14 * 86_400
"""An entity that nobody touches for two weeks is let go: PostgreSQL has its history."""

_MOST_UNSEEN = 100_000
_MOST_TRIES = 6
"""A batch may find an entity cold, another one let go meanwhile, and labels learnt while it
rebuilt them; more is an eviction storm."""
_CURSOR, _LOG = f"q:c:{LAYOUT_ID}", f"q:l:{LAYOUT_ID}"
_LOG_BATCHES, _LOG_TTL_S = 64, 60
"""What the feed learns while a state is rebuilt, a second or so."""
_LABEL_LAYOUTS = [
    [[ring.offset, ring.tile_ms, ring.slots] for ring in entity.groups["labels"].rings]
    for entity in ENTITIES
]
_encode = msgspec.msgpack.Encoder().encode


class RedisStore:
    """See `FeatureStore`. Keys: `q:s:<layout>:<entity>:<tenant>:<id>` hold states,
    `q:t:<schema>:<tenant>:<transaction>` what was computed for a transaction, `q:c:<layout>` how
    far labels are learnt, `q:l:<layout>` the labels learnt last. The cursor never expires: Redis
    must not evict keys without an expiry.

    Args:
        link: to Redis; closed by `close`.
        history: where states that Redis does not hold are rebuilt from.
        replay_ttl_s: how long a transaction id is remembered.
    """

    def __init__(self, link: Link, history: StateSource, *, replay_ttl_s: int) -> None:
        self._link = link
        self._history = history
        self._replay_ttl_s = replay_ttl_s
        self._observe = Script(source("observe_steps"), steps(ROLES), source("observe"))
        labels = constant("LAYOUTS", _LABEL_LAYOUTS), source("label_tiles")
        self._learn = Script(*labels, source("learn"))
        self._install = Script(*labels, source("install"))
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
        arguments = len(call.names), STATE_TTL_S, self._replay_ttl_s, _encode(call.rows)
        reply = await self._observe.run(self._link, [*call.names, *call.markers], *arguments)
        return int(reply[0]), reply[1]

    async def _warm(self, cold: Sequence[tuple[Entity, Key]], events: Events) -> frozenset[str]:
        """Rebuild states from the source; returns the state keys that cannot be had now."""
        fresh: dict[str, bytes] = {}
        lost: set[str] = set()
        try:
            until = await self.cursor()
        except _SourceUnavailable:
            return frozenset(_state_key(*key) for key in cold)
        for entity in KEPT:
            keys = [key for e, key in cold if e is entity]
            if not keys:
                continue
            names = [_state_key(entity, key) for key in keys]
            try:
                states = await self._history.rebuild(entity, keys, events.transaction, until)
            except StoreUnavailable:
                lost.update(names)
                continue
            fresh.update(zip(names, states, strict=True))
        if fresh:
            # Refused if too many labels were learnt meanwhile: the states are still missing.
            head = (_text(until), STATE_TTL_S)
            await self._install.run(self._link, [_CURSOR, _LOG, *fresh], *head, *fresh.values())
        return frozenset(lost)

    async def cursor(self) -> Cursor:
        """How far labels are learnt. Without one, all that count until now count in states that
        are yet to be rebuilt, and it is put there.

        Raises:
            StoreUnavailable: Redis or, without a cursor, the source does not answer.
        """
        kept = await self._link.call("GET", _CURSOR)
        if kept is None:
            try:
                newest = await self._history.newest()
            except StoreUnavailable as error:
                raise _SourceUnavailable(str(error)) from error
            await self._link.call("SET", _CURSOR, _text(newest), "NX")
            kept = await self._link.call("GET", _CURSOR)
        effective_us, label_id = bytes(kept or b"0:0").split(b":")
        return int(effective_us), int(label_id)

    async def learn(self, labels: LabelEvents) -> None:
        """See `FeatureStore`."""
        await self._learn_now(labels, "", "")

    async def learn_until(self, labels: LabelEvents, after: Cursor, until: Cursor) -> bool:
        """`learn`, and move the cursor from `after` to `until`, all at once. False, and nothing is
        learnt, if it does not stand there any more."""
        return await self._learn_now(labels, _text(after), _text(until))

    async def _learn_now(self, labels: LabelEvents, after: str, until: str) -> bool:
        names: dict[str, int] = {}
        rows: list[list[Any]] = []
        for i in range(len(labels)):
            touched = []
            for kind, entity in enumerate(ENTITIES, start=1):
                identity = labels.ids[entity.name][i]
                if identity is not None:
                    name = _state_key(entity, (labels.tenant[i], identity))
                    touched.append([kind, names.setdefault(name, len(names) + 3)])
            previous_ms, previous_fraud = labels.previous[i] or (0, False)
            event = [labels.known_at_ms[i], int(labels.fraud[i]), labels.hundredths[i]]
            rows.append([*event, previous_ms, int(previous_fraud), touched])
        arguments = (after, until, _LOG_BATCHES, _LOG_TTL_S, _encode(rows))
        return bool(await self._learn.run(self._link, [_CURSOR, _LOG, *names], *arguments))

    async def _forget_unseen(self) -> None:
        names = list(self._unseen)
        pieces = range(0, len(names), 1000)
        await self._link.calls([("UNLINK", *names[i : i + 1000]) for i in pieces])
        self._unseen.difference_update(names)

    async def remember(self, rows: Mapping[Key, bytes]) -> None:
        """See `FeatureStore`."""
        await self._link.calls(
            [("SET", _marker(key), row, "XX", "KEEPTTL") for key, row in rows.items()]
        )

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        reply = await self._link.call("MGET", *(_marker(key) for key in transactions))
        return [value or None for value in reply]

    async def ping(self) -> None:
        """Raises StoreUnavailable if Redis does not answer."""
        await self._link.call("PING")

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()


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
        self._touched: list[list[int]] = []
        place: dict[str, int] = {}
        for i, row in enumerate(events.rows()):
            touched, roles = [], []
            for kind, role in enumerate(ROLES, start=1):
                identity = events.ids[role.name][i]
                if identity is None:
                    continue
                key = (events.tenant[i], identity)
                name = _state_key(role.entity, key)
                if name in without:
                    continue
                if name not in place:
                    self.names.append(name)
                    self.keys.append((role.entity, key))
                    place[name] = len(self.names)
                touched.append([kind, place[name], *events.partners(role, i)])
                roles.append(i * N_ROLES + kind - 1)
            self.rows.append([*row, touched])
            self._touched.append(roles)

    def observation(self, replies: list[Any], degraded: tuple[str, ...]) -> Observation:
        states: list[bytes | None] = [None] * (N_ROLES * len(replies))
        recorded: dict[int, bytes] = {}
        repeated = []
        for i, (reply, places) in enumerate(zip(replies, self._touched, strict=True)):
            for place, state in zip(places, reply[1:], strict=True):
                states[place] = state
            if reply[0]:
                recorded[i] = reply[0]
            elif reply[0] is not None:
                repeated.append(i)
        return Observation(Snapshot.of(states), recorded, frozenset(repeated), degraded)


class _SourceUnavailable(StoreUnavailable):
    """The source of states does not answer, and Redis does."""


def _text(cursor: Cursor) -> str:
    return f"{cursor[0]}:{cursor[1]}"


def _state_key(entity: Entity, key: Key) -> str:
    return f"q:s:{LAYOUT_ID}:{entity.name}:{key[0]}:{key[1]}"


def _marker(key: Key) -> str:
    return f"q:t:{SCHEMA_ID}:{key[0]}:{key[1]}"
