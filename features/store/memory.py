"""The feature store in one process, for backfills and tests. It meets the same contract as Redis's.

It takes 6.8 KB for each customer, 3.9 KB for each merchant, 3.7 KB for each device, 4.1 KB for each
counterparty and 3.0 KB for each account, and up to half as much again while a table grows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.degraded import HISTORY_UNAVAILABLE
from features.state.entities import ENTITIES, KEPT, ROLES, Entity
from features.state.events import Events, Key, roles_of
from features.state.fold_layout import FOLD_LAYOUT
from features.state.folding import run
from features.state.labels import LabelEvents
from features.state.snapshot import Snapshot
from features.state.state import empty
from features.store.interface import NO_LABELS, Cursor, Observation, StateSource
from fraud.errors import StoreUnavailable
from fraud.payment.batch import Int64

_NO_LABELS = LabelEvents([], [], [], [], {entity.name: [] for entity in ENTITIES}, [])


class MemoryStore:
    """State of every entity of one process, unbounded; transaction ids, bounded.

    Args:
        source: rebuilds the state of unknown entities; None: these have no history.
        remembered: number of transaction ids kept; the oldest are forgotten first.
        until: the last label in states from `source`.
    """

    def __init__(
        self,
        source: StateSource | None = None,
        remembered: int = 100_000,
        until: Cursor = NO_LABELS,
    ) -> None:
        self._tables = {entity.name: _Table(entity) for entity in KEPT}
        self._seen: dict[Key, bytes] = {}
        self._oldest: deque[Key] = deque()
        self._source = source
        self._remembered = remembered
        self._until = until

    async def observe_and_fetch(self, events: Events, patient: bool = True) -> Observation:
        """See `FeatureStore`."""
        cold = await self._warm(events)
        observation = self.observe(events)
        if not cold:
            return observation
        return replace(observation, degraded=dict.fromkeys(sorted(cold), (HISTORY_UNAVAILABLE,)))

    def observe(
        self,
        events: Events,
        labels: LabelEvents = _NO_LABELS,
        before: Sequence[int] | Int64 = (),
    ) -> Observation:
        """`observe_and_fetch` that takes every unknown entity as new and learns labels on the way.

        Args:
            events: n rows.
            labels: m label events.
            before: m numbers in [0, n], rising: label j is learnt before row `before[j]`.
        """
        fresh, recorded, repeated = self._note(events)
        moments = np.array(before, dtype=np.int64)
        touched = _Touched(events, fresh, labels, _columns(labels), moments)
        states = Snapshot.none(len(events))
        for entity in KEPT:
            self._tables[entity.name].run(touched, states, create=self._source is None)
        return Observation(states, recorded, repeated)

    def missed(self, events: Events, ago_s: float = 0.0) -> None:
        """See `FeatureStore`: the order of rows changes nothing."""
        self.observe(events)

    async def learn(self, labels: LabelEvents) -> None:
        """See `FeatureStore`."""
        self.learn_now(labels)

    def learn_now(self, labels: LabelEvents) -> None:
        """`learn`, synchronously. Without a source an unknown entity is taken as new."""
        self.observe(Events.none(), labels, [0] * len(labels))

    def forget(self, name: str, keys: Iterable[Key]) -> None:
        """Drop states of entities of kind `name` that no later row touches. If one is touched
        nevertheless, its history may be gone."""
        self._tables[name].forget(keys)

    def _note(self, events: Events) -> tuple[NDArray[np.bool_], dict[int, bytes], frozenset[int]]:
        """Which rows are new; the features of repeated rows; repeated rows without features."""
        fresh = np.ones(len(events), dtype=np.bool_)
        recorded: dict[int, bytes] = {}
        repeated = []
        seen = self._seen
        for i, transaction in enumerate(events.transaction):
            kept = seen.get(transaction)
            if kept is None:
                seen[transaction] = b""
                self._oldest.append(transaction)
                if len(seen) > self._remembered:
                    del seen[self._oldest.popleft()]
                continue
            fresh[i] = False
            if kept:
                recorded[i] = kept
            else:
                repeated.append(i)
        return fresh, recorded, frozenset(repeated)

    async def _warm(self, events: Events) -> set[int]:
        """Rebuild missing states. Returns the rows whose states are unavailable."""
        without: set[int] = set()
        if self._source is None:
            return without
        for entity in KEPT:
            table = self._tables[entity.name]
            cold: dict[Key, list[int]] = {}
            for role in roles_of(entity):
                named = zip(events.tenant, events.ids[role.name], strict=True)
                for i, (tenant, identity) in enumerate(named):
                    if identity is not None and (tenant, identity) not in table.places:
                        cold.setdefault((tenant, identity), []).append(i)
            if cold:
                keys = sorted(cold)
                try:
                    async with self._source.rebuild(
                        entity, keys, events.transaction, self._until
                    ) as past:
                        table.put(keys, past.states)
                except StoreUnavailable:
                    without.update(i for rows in cold.values() for i in rows)
        return without

    async def remember(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        """See `FeatureStore`."""
        self.keep(transactions, rows)

    def keep(self, transactions: Sequence[Key], rows: bytes) -> None:
        """`remember`, synchronously."""
        size = len(rows) // max(len(transactions), 1)
        for i, transaction in enumerate(transactions):
            if transaction in self._seen:
                self._seen[transaction] = rows[i * size : (i + 1) * size]

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        return [self._seen.get(transaction) or None for transaction in transactions]

    def state(self, name: str, key: Key) -> bytes:
        """The state of one entity, empty if it was never seen."""
        return self._tables[name].state(key)


@dataclass(frozen=True, slots=True)
class _Touched:
    """A micro-batch of rows, and label events among them."""

    events: Events
    fresh: NDArray[np.bool_]
    labels: LabelEvents
    columns: Int64
    before: Int64


class _Table:
    """The states of one kind of entity: rows of an array that grows."""

    def __init__(self, entity: Entity) -> None:
        self.places: dict[Key, int] = {}
        self._entity = entity
        self._states = np.zeros((0, entity.size // 4), dtype=np.uint32)
        self._gone: set[Key] = set()

    def state(self, key: Key) -> bytes:
        place = self.places.get(key)
        return empty(self._entity) if place is None else self._states[place].tobytes()

    def put(self, keys: Sequence[Key], states: Sequence[bytes]) -> None:
        """Set states, replacing existing ones."""
        for key, state in zip(keys, states, strict=True):
            place = self.places.setdefault(key, len(self.places))
            self._grow()
            self._states[place] = np.frombuffer(state, dtype=np.uint32)

    def forget(self, keys: Iterable[Key]) -> None:
        """Mark states as gone. The table is rewritten without them when they are more than half."""
        self._gone.update(key for key in keys if key in self.places)
        if 2 * len(self._gone) <= len(self.places):
            return
        kept = [key for key in self.places if key not in self._gone]
        rows = np.array([self.places[key] for key in kept], dtype=np.int64)
        self._states = self._states[rows]
        self.places = {key: place for place, key in enumerate(kept)}
        self._gone = set()

    def _grow(self) -> None:
        if len(self.places) <= len(self._states):
            return
        wider = np.zeros((len(self.places) * 3 // 2 + 16, self._states.shape[1]), dtype=np.uint32)
        wider[: len(self._states)] = self._states
        self._states = wider

    def _find(self, tenants: list[str], ids: list[str | None], create: bool) -> Int64:
        """int64[n]: place of each state, -1 for none."""
        if not any(ids):
            return np.full(len(ids), -1, dtype=np.int64)
        places = self.places
        found = []
        for tenant, identity in zip(tenants, ids, strict=True):
            if identity is None:
                found.append(-1)
            elif create:
                found.append(places.setdefault((tenant, identity), len(places)))
            else:
                found.append(places.get((tenant, identity), -1))
        return np.array(found, dtype=np.int64)

    def run(self, touched: _Touched, states: Snapshot, create: bool) -> None:
        """Apply all rows and labels in order.

        Args:
            states: written: the states before each row.
            create: whether label events create states of unknown entities.
        """
        items = self._items(touched, create)
        self._grow()
        run(
            FOLD_LAYOUT,
            KEPT.index(self._entity),
            self._states,
            items,
            touched.fresh,
            touched.events.numbers,
            touched.events.hashes,
            touched.columns,
            states.records.view(np.uint32),
            states.present,
        )

    def _items(self, touched: _Touched, create: bool) -> Int64:
        """The items of `folding.run`, in order."""
        events, labels = touched.events, touched.labels
        parts, orders = [], []
        for role in roles_of(self._entity):
            place = self._find(events.tenant, events.ids[role.name], create=True)
            rows = np.flatnonzero(place >= 0)
            number = np.full(len(rows), ROLES.index(role))
            parts.append(np.stack([place[rows], number, rows], axis=1))
            orders.append(2 * rows + 1)
        if len(labels) and "labels" in self._entity.groups:
            place = self._find(labels.tenant, labels.ids[self._entity.name], create)
            rows = np.flatnonzero(place >= 0)
            parts.append(np.stack([place[rows], np.full(len(rows), -1), rows], axis=1))
            orders.append(2 * touched.before[rows])
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0])
        order = np.argsort(np.concatenate(orders), kind="stable")
        return np.concatenate(parts)[order]


def _columns(labels: LabelEvents) -> Int64:
    """int64[m, 5]: the labels as numbers, see `folding.run`."""
    previous = [(0, False) if p is None else p for p in labels.previous]
    columns = zip(labels.known_at_ms, labels.fraud, labels.hundredths, previous, strict=True)
    rows = [(at_ms, fraud, amount, *replaced) for at_ms, fraud, amount, replaced in columns]
    return np.array(rows, dtype=np.int64).reshape(-1, 5)
