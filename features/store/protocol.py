"""What a feature store promises. Every store passes `tests/*/features/store/contract.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from features.entities import Entity
from features.events import Events, Key


@dataclass(frozen=True, slots=True)
class Observation:
    """What the store knew before each of n rows, as it observed them in order.

    Attributes:
        states: entity name -> n states as they were before the row; None where the row names no
            such entity, or its state could not be had.
        recorded: row -> what `remember` kept when this transaction id was first observed: the row
            was not observed again.
        repeated: rows seen before of which nothing is recorded yet: not observed again either.
        degraded: why states are missing, () if none is.
    """

    states: Mapping[str, Sequence[bytes | None]]
    recorded: Mapping[int, bytes] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset()
    degraded: tuple[str, ...] = ()


class FeatureStore(Protocol):
    """Window state of every entity."""

    async def observe_and_fetch(self, events: Events) -> Observation:
        """Row by row: read each entity's state as it is, then add the row to it; once for each
        transaction id, however often it comes.

        Raises:
            StoreUnavailable: nothing can be read. Whether rows were added is then unknown.
        """
        ...

    async def remember(self, rows: Mapping[Key, bytes]) -> None:
        """Keep what was computed for transactions that were observed for the first time, so that
        a retry gets the same answer. Unknown transactions are passed over."""
        ...

    async def recorded(self, transactions: Sequence[Key]) -> list[bytes | None]:
        """What `remember` kept for each transaction, None for nothing (yet)."""
        ...


class StateSource(Protocol):
    """Where the state of an entity that the store does not hold is rebuilt from."""

    async def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key]
    ) -> list[bytes]:
        """State of each key from the system of record, as if the transactions of `without` had
        not happened; an empty state for an entity that was never seen.

        Raises:
            StoreUnavailable: the system of record does not answer.
        """
        ...
