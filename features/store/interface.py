"""What a feature store promises. Every store passes `tests/contracts/feature_store.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from features.state.entities import Entity
from features.state.events import Events, Key
from features.state.labels import LabelEvents
from features.state.reading import Reading, read
from features.state.snapshot import Snapshot

Cursor = tuple[int, int]
"""How far label events have been learnt: effective time in microseconds since the epoch, label id.
What is at or before it, in this order, counts."""

NO_LABELS: Cursor = (0, 0)
"""Before every label."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the store knew before each of n rows, as it observed them in order.

    Attributes:
        states: role name (`entities.ROLES`) -> n states as they were before the row; absent where
            the row touches nothing in that role, or its state could not be had.
        recorded: row -> what `remember` kept when this transaction id was first observed: the row
            was not observed again.
        repeated: rows seen before of which nothing is recorded yet: not observed again either.
        degraded: row -> why states of it are missing; rows that miss none are left out.
        receipt: what `remember` has to be told of the rows that were observed now.
        pending: rows, as they were numbered in what was asked, that are not among the n and have
            not been observed.
    """

    states: Snapshot
    recorded: Mapping[int, bytes] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset()
    degraded: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    pending: tuple[int, ...] = ()
    receipt: str = ""

    @classmethod
    def blind(cls, n: int, reason: str) -> Observation:
        """n rows of which nothing is known."""
        return cls(Snapshot.none(n), degraded=dict.fromkeys(range(n), (reason,)))

    def reading(self, events: Events) -> Reading:
        """What its states said at the time of each row."""
        return read(self.states, events.at_ms, events.hashes, events.bucket)


class FeatureStore(Protocol):
    """Window state of every entity."""

    async def observe_and_fetch(self, events: Events, patient: bool = True) -> Observation:
        """Row by row: read each entity's state as it is, then add the row to it; once for each
        transaction id, however often it comes.

        Args:
            events: the rows.
            patient: whether to wait for states that must be fetched from elsewhere first; else
                rows that need them are left out: see `Observation.pending`.

        Raises:
            StoreUnavailable: nothing can be read. Whether rows were added is then unknown.
        """
        ...

    def missed(self, events: Events, ago_s: float = 0.0) -> None:
        """Rows were decided without the store, `ago_s` before now: its states take them in as soon
        as it can, once each. Those that it has observed nevertheless count once, too."""
        ...

    async def learn(self, labels: LabelEvents) -> None:
        """Put label events into the states of what the labelled payments name, all or nothing. A
        state that the store does not hold is left alone where it is rebuilt from a source: the
        rebuild brings the label.

        Raises:
            StoreUnavailable: whether the events were learnt is unknown.
        """
        ...

    async def remember(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        """Keep what was computed for the transactions that were observed for the first time, so
        that a retry gets the same answer.

        Args:
            receipt: of the observation.
            transactions: m of them, all that were new then, in the order of their rows.
            rows: m byte strings of one length, one after the other.

        Raises:
            StoreUnavailable: they may not be kept.
        """
        ...

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """What `remember` kept for each transaction, None for nothing (yet)."""
        ...


class Past(Protocol):
    """What the system of record said at one moment.

    Attributes:
        states: of the entities that were asked about, each as bytes.
    """

    states: list[bytes]

    async def on_record(self, transactions: Iterable[Key]) -> set[Key]:
        """Those of some transactions that were on record at that moment.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...


class StateSource(Protocol):
    """Where the state of an entity that the store does not hold is rebuilt from."""

    def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key], until: Cursor
    ) -> AbstractAsyncContextManager[Past]:
        """State of each key from the system of record, as if the transactions of `without` had
        not happened, with the labels up to `until`; an empty state for an entity that was never
        seen. The moment is held until the context is left.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...

    async def first_features(
        self, transactions: Sequence[Key], within: timedelta
    ) -> list[bytes | None]:
        """What was computed for each transaction when it was first decided on, `within` a time from
        now, as `remember` keeps it; None where that is not on record.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...

    async def newest(self) -> Cursor:
        """A cursor at the present: no label at or before it can appear any more.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...
