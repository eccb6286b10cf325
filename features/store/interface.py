"""The interface of feature stores. Every store passes `tests/contracts/feature_store.py`."""

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
Labels at or before it, in this order, count."""

NO_LABELS: Cursor = (0, 0)
"""Before every label."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What the store knew before each of n rows, which it observed in order.

    Attributes:
        states: role name (`entities.ROLES`) -> n states as they were before the row; absent where
            the row touches nothing in that role, or its state was not available.
        recorded: row -> what `remember` kept when this transaction id was first observed: the row
            was not observed again.
        repeated: rows seen before for which nothing is recorded yet: not observed again either.
        degraded: row -> why some of its states are missing; complete rows are left out.
        pending: rows that were left out and not observed, by their number in the request; they are
            not among the n.
        receipt: identifies this observation to `remember`.
    """

    states: Snapshot
    recorded: Mapping[int, bytes] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset()
    degraded: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    pending: tuple[int, ...] = ()
    receipt: str = ""

    @classmethod
    def blind(cls, n: int, reason: str) -> Observation:
        """n rows without any state."""
        return cls(Snapshot.none(n), degraded=dict.fromkeys(range(n), (reason,)))

    def reading(self, events: Events) -> Reading:
        """Read the states at the time of each row."""
        return read(self.states, events.at_ms, events.hashes, events.bucket)


class FeatureStore(Protocol):
    """The window state of all entities."""

    async def observe_and_fetch(self, events: Events, patient: bool = True) -> Observation:
        """Read the state of each row's entities, then add the row to it, row by row. A transaction
        id is added once, however often it comes.

        Args:
            events: the rows.
            patient: wait for states that must be rebuilt first; otherwise rows that need them are
                left out: see `Observation.pending`.

        Raises:
            StoreUnavailable: nothing can be read. It is unknown whether rows were added.
        """
        ...

    def missed(self, events: Events, ago_s: float = 0.0) -> None:
        """Add rows that were decided without the store, `ago_s` before now, to its states as soon
        as possible. A row that it has observed nevertheless still counts once."""
        ...

    async def learn(self, labels: LabelEvents) -> None:
        """Put label events into the states of the labelled payments' entities, all or nothing. If
        missing states are rebuilt from a source, they are skipped: the rebuild brings the label.

        Raises:
            StoreUnavailable: it is unknown whether the events were learnt.
        """
        ...

    async def remember(self, receipt: str, transactions: Sequence[Key], rows: bytes) -> None:
        """Keep the features of transactions observed for the first time, so that a retry gets the
        same answer.

        Args:
            receipt: of the observation.
            transactions: the m transactions that were new then, in the order of their rows.
            rows: m byte strings of equal length, concatenated.

        Raises:
            StoreUnavailable: they may not be kept.
        """
        ...

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """What `remember` kept for each transaction, None for nothing yet."""
        ...


class Past(Protocol):
    """The system of record at one moment.

    Attributes:
        states: of the requested entities, each as bytes.
    """

    states: list[bytes]

    async def on_record(self, transactions: Iterable[Key]) -> set[Key]:
        """The given transactions that were on record at that moment.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...


class StateSource(Protocol):
    """The source from which states that the store does not hold are rebuilt."""

    def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key], until: Cursor
    ) -> AbstractAsyncContextManager[Past]:
        """The state of each key from the system of record, without the transactions of `without`
        and with the labels up to `until`; an empty state for an unknown entity. The snapshot is
        held until the context is left.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...

    async def first_features(
        self, transactions: Sequence[Key], within: timedelta
    ) -> list[bytes | None]:
        """The features on which each transaction was first decided, as `remember` keeps them; None
        if there is no such decision on record in the time `within` before now.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...

    async def newest(self) -> Cursor:
        """A cursor at the present: no label can appear at or before it any more.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...
