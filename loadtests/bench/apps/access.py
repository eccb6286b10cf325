"""API keys, looked up in PostgreSQL and cached for a while, and a rate limit in Redis."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from redis.asyncio import Redis

from fraud.access.keys import hash_key, parse_key
from fraud.access.scopes import granted
from stores.statements import statement

REMEMBERED_S = 30.0
WINDOW_S = 1
REQUESTS_A_WINDOW = 1_000_000
"""As generous as the tier of the key that Quorum's benchmark uses: counted, never reached."""

_FIND = statement("loadtests/bench/apps/find_key.sql")
_LIMIT = statement("loadtests/bench/apps/limit.lua")


class Refused(Exception):
    """The request is refused.

    Attributes:
        status: 401, 403 or 429.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Access:
    """Checks keys and counts requests.

    Args:
        pool: asyncpg pool of the database with the keys.
        redis: counts requests.
        pepper: the secret under which keys are hashed.
        most: rows that a key may send in `WINDOW_S`.
    """

    def __init__(self, pool: Any, redis: Redis, pepper: str, most: int = REQUESTS_A_WINDOW) -> None:
        self._pool = pool
        self._pepper = pepper
        self._most = most
        self._count = redis.register_script(_LIMIT)
        self._known: dict[bytes, tuple[str, str, float]] = {}

    async def admit(self, text: str, rows: int = 1) -> str:
        """Return the tenant of a key that may send `rows` rows now.

        Raises:
            Refused: 401 for an invalid key, 403 for one that may not decide, 429 above the limit.
        """
        key_id, tenant = await self._identify(text)
        window = int(time.time()) // WINDOW_S
        count = await self._count(keys=[f"limit:{key_id}:{window}"], args=[2 * WINDOW_S, rows])
        if count > self._most:
            raise Refused(429)
        return tenant

    async def _identify(self, text: str) -> tuple[str, str]:
        key = parse_key(text)
        if key is None:
            raise Refused(401)
        digest = hash_key(self._pepper, key)
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known[2]:
            return known[0], known[1]
        row = await self._pool.fetchrow(_FIND, key.key_id)
        if (
            row is None
            or not compare_digest(bytes(row["hash"]), digest)
            or row["revoked_at"] is not None
            or (row["expires_at"] is not None and row["expires_at"] <= datetime.now(UTC))
        ):
            raise Refused(401)
        if "decide" not in granted(row["scopes"]):
            raise Refused(403)
        self._known[digest] = (key.key_id, row["tenant"], time.monotonic() + REMEMBERED_S)
        return key.key_id, row["tenant"]
