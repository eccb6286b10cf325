"""The feature store on Redis (6.2 or newer, no modules): one script call for each micro-batch."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from features.state.entities import Entity
from features.state.events import Events, Key
from features.state.journal import labels_of
from features.state.labels import LabelEvents
from features.state.snapshot import Snapshot
from features.store.call import Call, Grown, new_bases
from features.store.interface import Cursor, Observation, StateSource
from features.store.keys import (
    CURSOR,
    LABEL_LOG,
    PROBE,
    PROBE_TTL_S,
    STATE_TTL_S,
    cursor_text,
    kept_key,
    marker_key,
    state_key,
)
from features.store.warming import Warming
from fraud.errors import StoreUnavailable
from stores.redis.connection import RedisConnection
from stores.redis.script import Script
from stores.statements import statement

T = TypeVar("T")
_log = logging.getLogger(__name__)

KEEP_ROWS_S = 900
"""Most retries come within seconds, and decisions are on record within this time."""
_MISSING, _DONE = 0, 1
"""The first element of the script's reply; any other means that rows were seen before."""
_MOST_EAGER = 500
"""While this many states are being rebuilt, others need a caller that waits for them."""
_CATCH_UP_EVERY_S, _CATCH_UP_ROWS = 0.25, 256
"""Time between attempts while Redis does not answer; rows of one call."""
_MOST_MISSED = 25_000
"""Missed rows that are kept for later. Further ones stay missing from the states in Redis."""
_SIZE = struct.Struct("<I")
"""The length of one row, which precedes the rows that are kept together."""
_CLOSE_S = 2.0
_MOST_TRIES = 6
"""For one batch an entity may be cold, another may expire, and labels may be learnt during a
rebuild; more attempts mean an eviction storm."""
_MOST_BYTES = 32 * 1024
"""Journals that labels make longer than this get a new base, even if no row reads them."""
_LOG_BATCHES, _LOG_TTL_S = 64, 60
"""Enough for the labels learnt while a state is rebuilt, which takes about a second."""


class RedisStore:
    """See `FeatureStore`. Keys:

        q:s:<layout>:<entity>:<tenant>:<id>     states, as journals
        q:t:<tenant>:<transaction>              where the features of a transaction are kept
        q:k:<schema>.<bytes of a row>:<receipt> the features of one call, for `keep_rows_s`
        q:c:<layout>                            cursor: how far labels are learnt
        q:l:<layout>                            the labels learnt last
        q:a:, then as the state                 rows answered without the state (`Warming`)
        q:i:, then as the state                 mark: the state was rebuilt recently
        q:p                                     written to check that Redis takes writes

    The cursor never expires: Redis must not evict keys without an expiry.

    Args:
        redis: to Redis; closed by `close`.
        history: rebuilds states that Redis does not hold.
        replay_ttl_s: how long a transaction id is remembered.
        keep_rows_s: how long features are kept, at most `replay_ttl_s`. Later they are read from
            the record of the decision.
        rebuild_wait_ms: longest wait for states that are rebuilt; after that, rows are answered
            without them.
    """

    def __init__(
        self,
        redis: RedisConnection,
        history: StateSource,
        *,
        replay_ttl_s: int,
        keep_rows_s: int = KEEP_ROWS_S,
        rebuild_wait_ms: float = 5_000.0,
    ) -> None:
        self._redis = redis
        self._history = history
        self._warming = Warming(redis, history)
        self._replay_ttl_s = replay_ttl_s
        self._keep_rows_s = keep_rows_s
        self._rebuild_wait_s = rebuild_wait_ms / 1000
        self._observe = Script(statement("features/store/lua/observe.lua"))
        self._learn = Script(statement("features/store/lua/learn.lua"))
        self._rebase = Script(statement("features/store/lua/rebase.lua"))
        self._missed: deque[tuple[Events, float]] = deque()
        self._n_missed = 0
        self._catching_up: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[Any]] = set()

    async def observe_and_fetch(self, events: Events, patient: bool = True) -> Observation:
        """See `FeatureStore`. Rows that wait for states are added to them even if the caller stops
        waiting."""
        call = Call(events)
        try:
            missing = await self._run(call)
        except StoreUnavailable:
            self.missed(events)
            raise
        if not missing:
            return self._observation_of(call)
        if not patient:
            return await self._observe_warm(events, call, missing)
        return await asyncio.shield(self._spawn(self._observe_cold(events, call, missing)))

    async def _observe_warm(self, events: Events, whole: Call, missing: list[int]) -> Observation:
        """Leave out the rows whose states are missing, and rebuild these in the background."""
        call, rows = whole, list(range(len(events)))
        try:
            while missing:
                if self._warming.under_way < _MOST_EAGER:
                    self._warming.start(call.entities(missing), call.new_transactions())
                rows = [rows[i] for i in call.untouched_by(missing)]
                if not rows:
                    break
                call = Call(events.take(rows))
                missing = await self._run(call)
        except StoreUnavailable:
            self.missed(events)
            raise
        observation = self._observation_of(call) if rows else Observation(Snapshot.none(0))
        observed = set(rows)
        pending = tuple(i for i in range(len(events)) if i not in observed)
        return replace(observation, pending=pending)

    async def _observe_cold(self, events: Events, call: Call, missing: list[int]) -> Observation:
        """Wait for missing states, up to `rebuild_wait_ms`."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._rebuild_wait_s
        late: frozenset[str] = frozenset()
        try:
            for _ in range(_MOST_TRIES):
                late |= await self._warming.warm(
                    call.entities(missing), call.new_transactions(), deadline - clock()
                )
                missing = await self._run(call, late)
                if not missing:
                    return self._observation_of(call)
            raise StoreUnavailable("Redis: states vanish as soon as they are rebuilt")
        except StoreUnavailable:
            self.missed(events)
            raise

    def missed(self, events: Events, ago_s: float = 0.0) -> None:
        """See `FeatureStore`, and `_catch_up`."""
        if self._n_missed >= _MOST_MISSED:
            _log.error("%d rows stay missing from states: too many rows wait", len(events))
            return
        self._missed.append((events, asyncio.get_running_loop().time() - ago_s))
        self._n_missed += len(events)
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up(), name="catch-up")

    async def _run(
        self, call: Call, late: frozenset[str] = frozenset(), ago_ms: int | None = None
    ) -> list[int]:
        """Run the script: read journals and append new rows, or catch up on rows that were decided
        `ago_ms` before now. Journals of `late` may be missing.

        Returns:
            The numbers of other missing journals; if there are any, nothing was appended.
        """
        while True:
            keys, counts, arguments = call.arguments(late, ago_ms)
            reply: list[Any] = await self._observe.run(
                self._redis,
                keys,
                *counts,
                STATE_TTL_S,
                self._replay_ttl_s,
                call.receipt,
                *arguments,
            )
            if reply[0] == _MISSING:
                return [k - 1 for k in reply[1:]]
            if reply[0] == _DONE:
                call.journals = reply[1] if ago_ms is None else []
                return []
            if ago_ms is not None:
                call.seen_before(reply[1::2], [b""] * (len(reply) // 2))
            else:
                await self._recall(call, reply[1::2], reply[2::2])

    async def _recall(self, call: Call, rows: Sequence[int], markers: Sequence[bytes]) -> None:
        """Get the features of rows seen before, from Redis or, for late ones, from the record."""
        kept = await self._kept(markers)
        new = call.new_transactions()
        late = [(j, new[row - 1]) for j, row in enumerate(rows) if not kept[j]]
        if late:
            for (j, _), row in zip(late, await self._on_record([t for _, t in late]), strict=True):
                kept[j] = row or b""
        call.seen_before(rows, kept)

    async def _on_record(self, transactions: Sequence[Key]) -> Sequence[bytes | None]:
        within = timedelta(seconds=self._replay_ttl_s)
        try:
            async with asyncio.timeout(self._rebuild_wait_s):
                return await self._history.first_features(transactions, within)
        except (StoreUnavailable, TimeoutError) as error:
            _log.warning("%d retries count themselves: %s", len(transactions), error)
            return [None] * len(transactions)

    def _observation_of(self, call: Call) -> Observation:
        """The observation of a call. Journals that have grown long get new bases meanwhile."""
        observation, grown = call.observation()
        if grown:
            self._spawn(self._give_bases(grown))
        return observation

    async def _give_bases(self, grown: Sequence[Grown]) -> None:
        arguments = [part for journal in grown for part in journal[1:]]
        try:
            await self._rebase.run(self._redis, [name for name, *_ in grown], *arguments)
        except StoreUnavailable as error:
            _log.warning("%d journals stay long: %s", len(grown), error)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return task

    async def cursor(self) -> Cursor:
        """How far labels are learnt; see `Warming.cursor`."""
        return await self._warming.cursor()

    async def learn(self, labels: LabelEvents) -> None:
        """See `FeatureStore`."""
        await self._learn_now(labels, "", "")

    async def learn_until(self, labels: LabelEvents, after: Cursor, until: Cursor) -> bool:
        """`learn`, and move the cursor from `after` to `until` in the same step. Returns False, and
        learns nothing, if the cursor has moved already."""
        return await self._learn_now(labels, cursor_text(after), cursor_text(until))

    async def _learn_now(self, labels: LabelEvents, after: str, until: str) -> bool:
        journals: dict[str, list[bytes]] = {}
        entities: dict[str, Entity] = {}
        for entity, tenant, identity, event in labels_of(labels):
            name = state_key(entity, (tenant, identity))
            journals.setdefault(name, []).append(event)
            entities[name] = entity
        keys = [CURSOR, LABEL_LOG, *journals]
        events = map(b"".join, journals.values())
        limits = _LOG_BATCHES, _LOG_TTL_S, _MOST_BYTES
        learnt, *long = await self._learn.run(self._redis, keys, after, until, *limits, *events)
        if long:
            names = [keys[k + 1] for k in long]
            self._spawn(self._shorten({name: entities[name] for name in names}))
        return bool(learnt)

    async def _shorten(self, entities: Mapping[str, Entity]) -> None:
        """Give new bases to journals that only labels have made long: no row reads them."""
        try:
            journals = await self._redis.call("MGET", *entities)
        except StoreUnavailable as error:
            _log.warning("%d journals stay long: %s", len(entities), error)
        else:
            await self._give_bases(new_bases(entities, journals))

    async def _catch_up(self) -> None:
        """Add the missed rows to states. Redis may have added some without answering in time: those
        have their markers."""
        n, clock = 0, asyncio.get_running_loop().time
        while self._missed:
            events, at_s = self._next_missed()
            self._n_missed -= len(events)
            try:
                call = Call(events)
                await self._run(call, frozenset(call.names), ago_ms=int(1000 * (clock() - at_s)))
                n += len(events)
            except StoreUnavailable:
                self._missed.append((events, at_s))
                self._n_missed += len(events)
                await asyncio.sleep(_CATCH_UP_EVERY_S)
            except Exception:  # the other rows must not wait behind it
                _log.exception("%d rows stay missing from states", len(events))
        _log.warning("%d rows that were decided without window state are in it now", n)

    def _next_missed(self) -> tuple[Events, float]:
        """The missed rows of one call, and the time of the earliest."""
        parts = [self._missed.popleft()]
        rows = len(parts[0][0])
        while self._missed and rows + len(self._missed[0][0]) <= _CATCH_UP_ROWS:
            parts.append(self._missed.popleft())
            rows += len(parts[-1][0])
        return Events.concat([events for events, _ in parts]), min(at_s for _, at_s in parts)

    async def remember(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        """See `FeatureStore`: the rows of one call in one value, to which their markers point."""
        if not transactions:
            return
        size = _SIZE.pack(len(rows) // len(transactions))
        keep_s = min(self._replay_ttl_s, self._keep_rows_s)
        await self._redis.call("SET", kept_key(receipt), size + rows, "EX", keep_s)

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        found = await self._kept(await self._redis.call("MGET", *map(marker_key, transactions)))
        return [row or None for row in found]

    async def _kept(self, markers: Sequence[bytes | None]) -> list[bytes]:
        """The rows that markers point to, b"" for none."""
        places = [(value or b":0").decode().split(":") for value in markers]
        receipts = sorted({receipt for receipt, _ in places if receipt})
        pieces = await self._redis.calls([("GET", kept_key(receipt)) for receipt in receipts])
        of = {receipt: piece for receipt, piece in zip(receipts, pieces, strict=True) if piece}
        return [_row(of[receipt], int(i)) if receipt in of else b"" for receipt, i in places]

    async def ready(self) -> None:
        """Raise StoreUnavailable unless Redis takes a write: a replica answers, too."""
        await self._redis.call("SET", PROBE, "1", "EX", PROBE_TTL_S)

    async def close(self) -> None:
        """Finish work under way and close the connection."""
        if self._catching_up is not None:
            await asyncio.wait([self._catching_up], timeout=_CLOSE_S)
            self._catching_up.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await self._warming.close()
        await self._redis.close()


def _row(piece: bytes, number: int) -> bytes:
    """Row `number`, from 1, of the features of one call."""
    (size,) = _SIZE.unpack_from(piece)
    at = _SIZE.size + (number - 1) * size
    return piece[at : at + size]
