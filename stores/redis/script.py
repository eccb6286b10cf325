"""A Lua script that runs inside Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from stores.redis.errors import Refused
from stores.redis.link import Link

_MOST_LOADS = 2
"""A replica takes a script, and refuses to run it: the primary that is asked then has none."""


class Script:
    """A script, loaded into Redis when it is first needed.

    Args:
        parts: its text, one after the other.
    """

    def __init__(self, *parts: str) -> None:
        self._text = "\n".join(parts)
        # Redis names scripts so; nothing secret hangs on it.
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, link: Link, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
        """Its answer.

        Raises:
            StoreUnavailable: Redis does not answer, or refuses.
        """
        for _ in range(_MOST_LOADS):
            try:
                return await link.call("EVALSHA", self._sha, len(keys), *keys, *arguments)
            except Refused as refused:
                if not refused.unknown_script:
                    raise
            await link.call("SCRIPT", "LOAD", self._text)
        return await link.call("EVALSHA", self._sha, len(keys), *keys, *arguments)
