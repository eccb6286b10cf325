"""Keeps a replica's entry in the registry fresh."""

from __future__ import annotations

import contextlib

from deployments.links.registry.interface import Entry, Registry
from fraud.errors import StoreUnavailable
from stores.poll import Poll

ANNOUNCE_S = 1.0


class Announcer:
    """Announces a replica every second until `close`.

    Args:
        registry: where to; closed by `close`.
        entry: the replica.
    """

    def __init__(self, registry: Registry, entry: Entry) -> None:
        self._registry = registry
        self._entry = entry
        self._poll = Poll("the registry of links", self._announce, ANNOUNCE_S)

    def start(self) -> None:
        """Begin. While the registry does not answer, it goes on trying."""
        self._poll.start()

    async def close(self) -> None:
        """Stop, and withdraw the replica. Without an answer its entry grows old."""
        await self._poll.close()
        with contextlib.suppress(StoreUnavailable):
            await self._registry.withdraw(self._entry.name)
        await self._registry.close()

    async def _announce(self) -> None:
        await self._registry.announce(self._entry)
