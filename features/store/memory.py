"""The feature store in a dict: for replaying history and for tests. Not a toy: the same contract
as the store on Redis, in one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.entities import ENTITIES
from features.events import Events, Key
from features.store.protocol import Observation, StateSource
from features.tiles import empty, observe
from fraud.errors import StoreUnavailable


class MemoryStore:
    """State of every entity of one process, unbounded; transaction ids, bounded.

    Args:
        source: where an unknown entity's state comes from; None: it has no history.
        remembered: how many transaction ids are kept, the oldest forgotten first.
    """

    def __init__(self, source: StateSource | None = None, remembered: int = 100_000) -> None:
        self._states: dict[str, dict[Key, bytearray]] = {e.name: {} for e in ENTITIES}
        self._seen: dict[Key, bytes] = {}
        self._source = source
        self._remembered = remembered

    async def observe_and_fetch(self, events: Events) -> Observation:
        """See `FeatureStore`."""
        degraded = await self._warm(events)
        observation = self.observe(events)
        if not degraded:
            return observation
        return Observation(observation.states, observation.recorded, observation.repeated, degraded)

    def observe(self, events: Events) -> Observation:
        """`observe_and_fetch` with every unknown entity taken as new."""
        states: dict[str, list[bytes | None]] = {e.name: [] for e in ENTITIES}
        recorded: dict[int, bytes] = {}
        repeated = []
        for i, transaction in enumerate(events.transaction):
            kept = self._seen.get(transaction)
            if kept:
                recorded[i] = kept
            elif kept is not None:
                repeated.append(i)
            for entity in ENTITIES:
                identity = events.ids[entity.name][i]
                if identity is None:
                    states[entity.name].append(None)
                    continue
                state = self._state(entity.name, (events.tenant[i], identity), entity.size)
                states[entity.name].append(bytes(state))
                if kept is None:
                    partners = events.partners(entity, i)
                    observe(entity, state, events.at_ms[i], events.hundredths[i], partners)
            if kept is None:
                self._note(transaction)
        return Observation(states, recorded, frozenset(repeated))

    def _state(self, name: str, key: Key, size: int) -> bytearray:
        states = self._states[name]
        state = states.get(key)
        if state is None:
            state = states[key] = bytearray(size)
        return state

    def _note(self, transaction: Key) -> None:
        self._seen[transaction] = b""
        if len(self._seen) > self._remembered:
            del self._seen[next(iter(self._seen))]

    async def _warm(self, events: Events) -> tuple[str, ...]:
        if self._source is None:
            return ()
        for entity in ENTITIES:
            known = self._states[entity.name]
            wanted = zip(events.tenant, events.ids[entity.name], strict=True)
            cold = {(t, i) for t, i in wanted if i is not None and (t, i) not in known}
            if cold:
                keys = sorted(cold)
                try:
                    found = await self._source.rebuild(entity, keys, events.transaction)
                except StoreUnavailable:
                    return ("history_unavailable",)
                known.update((k, bytearray(s)) for k, s in zip(keys, found, strict=True))
        return ()

    async def remember(self, rows: Mapping[Key, bytes]) -> None:
        """See `FeatureStore`."""
        self.keep(rows)

    def keep(self, rows: Mapping[Key, bytes]) -> None:
        """`remember`, without waiting."""
        for transaction, row in rows.items():
            if transaction in self._seen:
                self._seen[transaction] = row

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """See `FeatureStore`."""
        return [self._seen.get(transaction) or None for transaction in transactions]

    def state(self, name: str, key: Key) -> bytes:
        """State of one entity, empty if it was never seen."""
        entity = next(e for e in ENTITIES if e.name == name)
        return bytes(self._states[name].get(key, empty(entity)))
