"""Changes of API keys by other processes: every ingress learns of a revocation within seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from stores.poll import Poll

EVERY_S = 1.0
LOOK_BACK_S = 20.0
"""How far back each question goes: longer than a change takes to be committed."""

Changed = Callable[[float], Awaitable[list[tuple[str, datetime]]]]


class KeyChanges:
    """Asks every second which keys were changed, and has them looked up again.

    While PostgreSQL does not answer, keys stay valid as `serve_app.gateway.auth` says.

    Args:
        changed: returns id and time of the keys that were changed in the last so many seconds. May
            raise anything when the store does not answer.
        check_again: takes ids of keys that must be looked up before they are accepted again.
    """

    def __init__(self, changed: Changed, check_again: Callable[[Collection[str]], None]) -> None:
        self._changed = changed
        self._check_again = check_again
        self._known: set[tuple[str, datetime]] = set()
        self._poll = Poll("key changes", self.look, EVERY_S)

    def start(self) -> None:
        """Ask until `close`."""
        self._poll.start()

    async def close(self) -> None:
        """Stop asking."""
        await self._poll.close()

    async def look(self) -> None:
        """Ask once."""
        recent = set(await self._changed(LOOK_BACK_S))
        self._check_again({key_id for key_id, _ in recent - self._known})
        self._known = recent
