"""One call of `observe.lua`: from rows to keys and events, from journals to what the rows saw."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.degraded import HISTORY_UNAVAILABLE
from features.state.entities import KEPT, ROLES, Entity
from features.state.events import Events, Key
from features.state.fold_layout import FOLD_LAYOUT
from features.state.folding import events_of, fold
from features.state.journal import DAY_AT, EVENT_BYTES, aside_of, head, with_lengths
from features.state.snapshot import N_ROLES, Snapshot
from features.state.windows import DAY_MS
from features.store.interface import Observation
from features.store.keys import LATELY_S, aside_key, marker_key, recent_key, state_key
from fraud.payment.batch import Int64

_RECEIPT_BYTES = 8
_SLACK_MS = 1000
"""A decision may be on record a little before its rows are reported as missed."""
MOST_EVENTS = 8
"""A journal with this many events gets a new base; fewer are cheaper to read than to replace."""
_encode = msgspec.msgpack.Encoder().encode
_ROLES = [(KEPT.index(r.entity), r.name, state_key(r.entity, ("", ""))[:-1]) for r in ROLES]


class Grown(NamedTuple):
    """A journal that has grown long, and its new base: the arguments of `rebase.lua`."""

    name: str
    old_head: bytes
    covers: int
    new_head: bytes
    base: bytes


class Call:
    """One micro-batch on its way to the script and back.

    Args:
        events: the rows.

    Attributes:
        receipt: the key under which the features of its new rows are kept.
        names: keys of the journals that the rows touch.
        transactions: of the rows.
        journals: what the script found under each name, None for nothing.
    """

    def __init__(self, events: Events) -> None:
        self.receipt = os.urandom(_RECEIPT_BYTES).hex()
        self.names: list[str] = []
        self.transactions = events.transaction
        self.journals: list[bytes | None] = []
        self._events = events
        self._added: list[bytes] = []
        self._kinds: list[int] = []
        self._keys: list[Key] = []
        self._recorded: dict[int, bytes] = {}
        self._first_of = events.first_of()
        self._repeated = set(self._first_of)
        n = len(events)
        places = [-1] * (n * N_ROLES)
        known: dict[str, int] = {}
        for r, (kind, role, prefix) in enumerate(_ROLES):
            at = r
            for tenant, identity in zip(events.tenant, events.ids[role], strict=True):
                if identity is not None:
                    name = f"{prefix}{tenant}:{identity}"
                    k = known.setdefault(name, len(known))
                    if k == len(self.names):
                        self.names.append(name)
                        self._kinds.append(kind)
                        self._keys.append((tenant, identity))
                    places[at] = k
                at += N_ROLES
        self._places = np.array(places, dtype=np.int64).reshape(n, N_ROLES)

    def arguments(
        self, late: frozenset[str], ago_ms: int | None = None
    ) -> tuple[list[str], tuple[int, int], list[bytes | str]]:
        """Keys, first two arguments, and arguments from the sixth on, of `observe.lua`.

        Args:
            late: names of journals that may be missing.
            ago_ms: how long ago the rows were decided without the store, to catch up on them; None
                for rows to be observed now.
        """
        events = self._events
        fresh = self._fresh()
        added, starts, newest = events_of(
            self._places, fresh, events.numbers, events.hashes, len(self.names)
        )
        days: list[int] = (newest // DAY_MS).tolist()
        data, ends = added.tobytes(), (starts * EVENT_BYTES).tolist()
        parts = [data[a:b] for a, b in pairwise(ends)]
        self._added = parts
        markers = [marker_key(self.transactions[i]) for i in np.flatnonzero(fresh).tolist()]
        places = [k for k, name in enumerate(self.names) if name in late]
        named = _encode([k + 1 for k in places]) if places else ""
        asides = [with_lengths(self._aside(k, parts[k], fresh)) for k in places]
        keys = [*self.names, *markers, *[aside_key(self.names[k]) for k in places]]
        catch_up: bytes | str = ""
        if ago_ms is not None:
            catch_up = _encode([ago_ms + _SLACK_MS, 1000 * LATELY_S])
            keys += map(recent_key, self.names)
        counts = len(self.names), len(markers)
        return keys, counts, [_encode(days), named, catch_up, *parts, *asides]

    def seen_before(self, rows: Sequence[int], kept: Sequence[bytes]) -> None:
        """Note that the script has seen rows before.

        Args:
            rows: their numbers, from 1, among those that were new.
            kept: their features, b"" for nothing.
        """
        new = self._new()
        of = {self.transactions[new[row - 1]]: text for row, text in zip(rows, kept, strict=True)}
        for i, transaction in enumerate(self.transactions):
            text = of.get(transaction)
            if text:
                self._recorded[i] = text
                self._repeated.discard(i)
            elif text is not None:
                self._repeated.add(i)

    def entities(self, missing: Sequence[int]) -> list[tuple[Entity, Key]]:
        """The entities of journals, by number."""
        return [(KEPT[self._kinds[k]], self._keys[k]) for k in missing]

    def untouched_by(self, missing: Sequence[int]) -> list[int]:
        """The rows that touch none of these journals and repeat no row that does: of rows of one
        transaction the first is the payment."""
        touched: NDArray[np.bool_] = np.any(np.isin(self._places, missing), axis=1)
        for i, first in self._first_of.items():
            touched[i] |= touched[first]
        found: list[int] = np.flatnonzero(~touched).tolist()
        return found

    def _without_history(self) -> dict[int, tuple[str, ...]]:
        """The rows that touch missing journals, and the reason to report."""
        missing = [k for k, journal in enumerate(self.journals) if journal is None]
        touched = np.flatnonzero(np.isin(self._places, missing).any(axis=1))
        return dict.fromkeys(touched.tolist(), (HISTORY_UNAVAILABLE,))

    def new_transactions(self) -> list[Key]:
        """The transactions that have not been observed before."""
        return [self.transactions[i] for i in self._new()]

    def observation(self) -> tuple[Observation, list[Grown]]:
        """What the rows saw, and the journals that have grown long."""
        found = [journal or b"" for journal in self.journals]
        states = Snapshot.none(len(self._events))
        bases = _fold(found, self._kinds, self._places, self._fresh(), self._events, states)
        grown = [
            # The base includes what the script has just appended.
            Grown(self.names[k], found[k][:DAY_AT], len(found[k]) + len(self._added[k]), *base)
            for k, base in bases.items()
        ]
        degraded = self._without_history() if None in self.journals else {}
        repeated = frozenset(self._repeated)
        observation = Observation(states, self._recorded, repeated, degraded, receipt=self.receipt)
        return observation, grown

    def _new(self) -> list[int]:
        return [
            i
            for i in range(len(self.transactions))
            if i not in self._repeated and i not in self._recorded
        ]

    def _fresh(self) -> NDArray[np.bool_]:
        fresh = np.zeros(len(self.transactions), dtype=np.bool_)
        fresh[self._new()] = True
        return fresh

    def _aside(self, k: int, added: bytes, fresh: NDArray[np.bool_]) -> list[bytes]:
        """The rows to set aside for a journal: each event with its transaction."""
        rows = [i for i, _ in np.argwhere((self._places == k) & fresh[:, None]).tolist()]
        return [
            aside_of(added[at : at + EVENT_BYTES], self.transactions[i])
            for i, at in zip(rows, range(0, len(added), EVENT_BYTES), strict=True)
        ]


def new_bases(entities: Mapping[str, Entity], journals: Sequence[bytes | None]) -> list[Grown]:
    """New bases for journals that have grown long.

    Args:
        entities: name of each journal -> its entity.
        journals: what was found under each name, None for nothing.
    """
    found = [journal or b"" for journal in journals]
    kinds = [KEPT.index(entity) for entity in entities.values()]
    nobody = np.empty((0, N_ROLES), dtype=np.int64), np.empty(0, dtype=np.bool_)
    bases = _fold(found, kinds, *nobody, Events.none(), Snapshot.none(0))
    names = list(entities)
    return [Grown(names[k], found[k][:DAY_AT], len(found[k]), *base) for k, base in bases.items()]


def _fold(
    journals: Sequence[bytes],
    kinds: Sequence[int],
    places: Int64,
    fresh: NDArray[np.bool_],
    events: Events,
    states: Snapshot,
) -> dict[int, tuple[bytes, bytes]]:
    """Apply rows to journals: see `folding.fold`. Returns the journals that have grown long, by
    number -> head and content of the new base."""
    bases, ends = fold(
        FOLD_LAYOUT,
        np.frombuffer(b"".join(journals), dtype=np.uint32),
        np.array([len(journal) // 4 for journal in journals], dtype=np.int64),
        np.array(kinds, dtype=np.int64),
        places,
        fresh,
        events.numbers,
        events.hashes,
        states.records.view(np.uint32),
        states.present,
        MOST_EVENTS,
    )
    if not len(bases):
        return {}
    return {
        k: (head(end - start), bases[start:end].tobytes())
        for k, (start, end) in enumerate(pairwise(ends.tolist()))
        if end > start
    }
