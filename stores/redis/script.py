"""A Lua script that runs inside Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from stores.redis.connection import RedisConnection
from stores.redis.errors import Refused

_MAX_LOADS = 2
"""A replica accepts a script but does not run it, and the primary that is called next lacks it."""


class Script:
    """A script that is loaded into Redis when it is first needed.

    Args:
        parts: its text, one after the other.
    """

    def __init__(self, *parts: str) -> None:
        self._text = "\n".join(parts)
        # Redis names scripts by SHA-1; nothing secret depends on it.
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def run(
        self, redis: RedisConnection, keys: Sequence[str], *arguments: str | bytes | int
    ) -> Any:
        """Run the script and return its reply.

        Raises:
            StoreUnavailable: Redis does not answer, or refuses.
        """
        for _ in range(_MAX_LOADS):
            try:
                return await redis.call("EVALSHA", self._sha, len(keys), *keys, *arguments)
            except Refused as refused:
                if not refused.unknown_script:
                    raise
            await redis.call("SCRIPT", "LOAD", self._text)
        return await redis.call("EVALSHA", self._sha, len(keys), *keys, *arguments)
