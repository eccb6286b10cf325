"""Rebuilds states that Redis does not hold, without delaying callers for longer than they allow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from features.state.entities import KEPT, Entity
from features.state.events import Key, roles_of
from features.state.journal import journal_of, transaction_of
from features.store.interface import Cursor, StateSource
from features.store.keys import (
    CURSOR,
    LABEL_LOG,
    LATELY_S,
    STATE_TTL_S,
    aside_key,
    cursor_text,
    recent_key,
    state_key,
)
from fraud.errors import StoreUnavailable
from stores.redis.connection import RedisConnection
from stores.redis.script import Script
from stores.statements import statement

_log = logging.getLogger(__name__)

_MOST_TRIES = 6
"""Labels may be learnt while a state is rebuilt."""
_MOST_LOOKS = 50
"""Further rows may be set aside in the milliseconds between reading those set aside and installing
the state."""

_AT_ONCE = 1000
"""Rows set aside that are read by one command."""
_CLOSE_S = 5.0

_encode = msgspec.msgpack.Encoder().encode


class Warming:
    """Rebuilds states from the system of record, each by one task at a time.

    The call that answers a row without its state sets the row aside in Redis. The task leaves the
    transactions of such rows out of the rebuilt state, on record or not, and the script that
    installs the state adds the rows. Rows set aside meanwhile are in the state already if they were
    on record when it was rebuilt, which a query on the same snapshot answers. So each row counts
    once, whichever process rebuilds and whenever the row gets on record; and states that many rows
    touch get installed, too.

    Args:
        redis: to Redis.
        history: the system of record.
    """

    def __init__(self, redis: RedisConnection, history: StateSource) -> None:
        self._redis = redis
        self._history = history
        self._install = Script(statement("features/store/lua/install.lua"))
        self._tasks: dict[str, asyncio.Task[frozenset[str]]] = {}

    async def warm(
        self, cold: Iterable[tuple[Entity, Key]], without: Sequence[Key], wait_s: float
    ) -> frozenset[str]:
        """Rebuild states. Returns the keys of those that are not installed after `wait_s`, whose
        rebuilding goes on, and of those that are unavailable.

        Args:
            cold: entities whose states are missing.
            without: transactions to leave out: they have not been observed yet, but may be on
                record.
        """
        wanted = self.start(cold, without)
        tasks = {name: self._tasks[name] for name in wanted}
        await asyncio.wait(tasks.values(), timeout=max(wait_s, 0.0))
        return frozenset(
            name for name, task in tasks.items() if not task.done() or name in task.result()
        )

    @property
    def under_way(self) -> int:
        """The number of states being rebuilt."""
        return len(self._tasks)

    def start(self, cold: Iterable[tuple[Entity, Key]], without: Sequence[Key]) -> Collection[str]:
        """Begin to rebuild states; see `warm`. Returns the keys of all of `cold`."""
        wanted = {state_key(*found): found for found in cold}
        for entity in KEPT:
            keys = {
                name: key
                for name, (kind, key) in wanted.items()
                if kind is entity and name not in self._tasks
            }
            if keys:
                self._start(entity, keys, without)
        return wanted

    def _start(self, entity: Entity, keys: Mapping[str, Key], without: Sequence[Key]) -> None:
        task = asyncio.create_task(self._rebuild(entity, keys, without))
        self._tasks.update(dict.fromkeys(keys, task))
        task.add_done_callback(lambda _: self._finished(keys))

    def _finished(self, names: Collection[str]) -> None:
        for name in names:
            del self._tasks[name]

    async def _rebuild(
        self, entity: Entity, keys: Mapping[str, Key], without: Sequence[Key]
    ) -> frozenset[str]:
        """Rebuild and install states. Returns the keys of those that are unavailable."""
        left = dict(keys)
        try:
            for _ in range(_MOST_TRIES):
                left = await self._install_once(entity, left, without)
                if not left:
                    break
        except StoreUnavailable as error:
            _log.warning("%d states are not rebuilt: %s", len(left), error)
        return frozenset(left)

    async def _install_once(
        self, entity: Entity, keys: dict[str, Key], without: Sequence[Key]
    ) -> dict[str, Key]:
        """Rebuild and install states. Returns those that must be rebuilt again."""
        until = await self.cursor()
        asides = await self._set_aside(keys)
        left: dict[str, Key] = {}
        for some in _alike(entity, keys, asides):
            left_out = {*without, *(row for name in some for row in asides[name])}
            left |= await self._install_some(entity, some, left_out, until)
        return left

    async def _install_some(
        self, entity: Entity, keys: Mapping[str, Key], left_out: Collection[Key], until: Cursor
    ) -> dict[str, Key]:
        async with self._history.rebuild(entity, list(keys.values()), left_out, until) as past:
            left = dict(zip(keys, map(journal_of, past.states), strict=True))
            is_missing = dict.fromkeys(left_out, True)
            for _ in range(_MOST_LOOKS):
                refused = await self._install_those(left, is_missing, until)
                if refused is None:
                    return dict(keys)
                left = {name: left[name] for name in refused}
                if not left:
                    break
                asides = await self._set_aside(left)
                new = [row for rows in asides.values() for row in rows if row not in is_missing]
                known = await past.on_record(new) if new else set()
                is_missing |= {transaction: transaction not in known for transaction in new}
        return {name: keys[name] for name in left}

    async def _set_aside(self, names: Iterable[str]) -> dict[str, list[Key]]:
        """The transactions of the rows set aside for each state."""
        found: dict[str, list[Key]] = {name: [] for name in names}
        wanted, first = list(found), 0
        while wanted:
            ranges = [("LRANGE", aside_key(n), first, first + _AT_ONCE - 1) for n in wanted]
            pieces = dict(zip(wanted, await self._redis.calls(ranges), strict=True))
            for name, rows in pieces.items():
                found[name] += map(transaction_of, rows)
            wanted = [name for name, rows in pieces.items() if len(rows) == _AT_ONCE]
            first += _AT_ONCE
        return found

    async def _install_those(
        self, journals: Mapping[str, bytes], is_missing: Mapping[Key, bool], until: Cursor
    ) -> list[str] | None:
        """Install journals. Returns the names of those that were refused, because a row set aside
        is not in `is_missing`; None if too many labels were learnt meanwhile."""
        known: dict[str, dict[str, bool]] = {}
        for (tenant, identity), missing in is_missing.items():
            known.setdefault(tenant, {})[identity] = missing
        names = list(journals)
        refused = await self._install.run(
            self._redis,
            [CURSOR, LABEL_LOG, *names, *map(aside_key, names), *map(recent_key, names)],
            cursor_text(until),
            STATE_TTL_S,
            LATELY_S,
            _encode(known),
            *journals.values(),
        )
        return None if refused == 0 else [names[i - 1] for i in refused]

    async def cursor(self) -> Cursor:
        """How far labels are learnt. Without a cursor one is set at the present: rebuilds bring the
        labels up to it.

        Raises:
            StoreUnavailable: Redis or, without a cursor, the source does not answer.
        """
        kept = await self._redis.call("GET", CURSOR)
        if kept is None:
            newest = await self._history.newest()
            await self._redis.call("SET", CURSOR, cursor_text(newest), "NX")
            kept = await self._redis.call("GET", CURSOR)
        effective_us, label_id = bytes(kept or b"0:0").split(b":")
        return int(effective_us), int(label_id)

    async def close(self) -> None:
        """Finish work under way, if it does not take long."""
        if tasks := set(self._tasks.values()):
            _, late = await asyncio.wait(tasks, timeout=_CLOSE_S)
            for task in late:
                task.cancel()


def _alike(
    entity: Entity, keys: Mapping[str, Key], asides: Mapping[str, Sequence[Key]]
) -> list[Mapping[str, Key]]:
    """Group states that leave out the same rows. A payment that touches two accounts may be set
    aside for one and included in the other."""
    if len(roles_of(entity)) == 1:
        return [keys]
    apart: list[Mapping[str, Key]] = [{n: key} for n, key in keys.items() if asides[n]]
    rest = {name: key for name, key in keys.items() if not asides[name]}
    return [*apart, rest] if rest else apart
