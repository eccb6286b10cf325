"""A registry of links in memory."""

from __future__ import annotations

import time
from collections.abc import Callable

from deployments.links.registry.interface import FRESH_S, Entry
from fraud.errors import StoreUnavailable


class FakeRegistry:
    """See `Registry`.

    Attributes:
        away: whether it does not answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.away = False
        self._clock = clock
        self._entries: dict[str, tuple[Entry, float]] = {}

    async def announce(self, entry: Entry) -> None:
        self._answer()
        self._entries[entry.name] = entry, self._clock()

    async def withdraw(self, name: str) -> None:
        self._answer()
        self._entries.pop(name, None)

    async def entries(self) -> list[Entry]:
        self._answer()
        now_s = self._clock()
        fresh = [entry for entry, at_s in self._entries.values() if now_s - at_s < FRESH_S]
        return sorted(fresh, key=lambda entry: entry.name)

    async def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("Redis: away")
