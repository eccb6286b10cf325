"""What a registry of replicas does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

FRESH_S = 5.0
"""An entry that was not announced for this long is not returned."""
SWEPT_S = 60.0
"""An entry that was not announced for this long is removed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a replica listens.

    Attributes:
        name: `<pool>~<replica>`, see `names.replica_name`.
        address: IP address of its machine.
        port: TCP port.
        node: Ray's id of its node.
    """

    name: str
    address: str
    port: int
    node: str


class Registry(Protocol):
    """The replicas of one Quorum."""

    async def announce(self, entry: Entry) -> None:
        """Add or refresh an entry.

        Raises:
            StoreUnavailable: the registry does not answer.
        """

    async def withdraw(self, name: str) -> None:
        """Remove an entry, if there is one.

        Raises:
            StoreUnavailable: the registry does not answer.
        """

    async def entries(self) -> list[Entry]:
        """Return the entries that are fresh, sorted by name.

        Raises:
            StoreUnavailable: the registry does not answer.
        """

    async def close(self) -> None:
        """Close the connection to it."""
