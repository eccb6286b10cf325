"""Who is asking: API keys, checked against PostgreSQL, remembered for a little while.

A key that was good stays good for `FRESH_S` without a question; after two thirds of that it is
asked about in the background, so that a busy key never waits. While PostgreSQL does not answer, a
known key goes on for `STALE_S` at most, and an unknown one gets 503: nobody can say whether it is
good. So a revoked key is refused within `FRESH_S`, or within `STALE_S` while PostgreSQL is down.
Whoever tries keys keeps no known one from being asked about.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from fraud.access.keys import FRESH_S, STALE_S, hash_key, parse_key
from fraud.errors import StoreUnavailable
from serve_app.http.problems import HttpProblem

REFUSED_S = 5.0
RETRY_S = 2.0
LOOKUP_TIMEOUT_S = 1.0
MAX_GOOD = 10_000
MAX_REFUSED = 1_000
MAX_LOOKUPS = 4
"""Questions at once about keys that were good."""
MAX_STRANGE_LOOKUPS = 3
"""Questions at once about all others: by default they leave one connection free."""
MAX_STRANGERS = 256
"""Others that are asked about or wait for that: about as many as are answered in time."""

CHALLENGE = ((b"www-authenticate", b'Bearer realm="quorum"'),)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A row of `api_keys`."""

    key_id: str
    tenant: str
    tier: str
    hash: bytes
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: everything that is done is done for `tenant`."""

    key_id: str
    tenant: str
    tier: str


@dataclass(slots=True)
class _Remembered:
    principal: Principal | None  # None: refused
    expires_at_s: float  # wall clock
    checked_at: float  # monotonic, like the next
    ask_again_at: float
    failing: bool = False  # the last question was not answered


@dataclass(slots=True)
class _Questions:
    """What is asked about some keys, by hash, as many at once as there are `slots`."""

    slots: asyncio.Semaphore
    asking: dict[bytes, asyncio.Task[_Remembered]] = field(default_factory=dict)


FindKey = Callable[[str], Awaitable[KeyRecord | None]]


class Authenticator:
    """Turns request headers into a Principal.

    Args:
        find: reads a key's record by its id; None: there is none. May raise anything when the
            store does not answer.
        pepper: secret that stored hashes depend on, not empty.
        clock: monotonic seconds.
        wall_clock: seconds since the epoch.
    """

    def __init__(
        self,
        find: FindKey,
        pepper: str,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._pepper = pepper
        self._clock = clock
        self._wall_clock = wall_clock
        # By hash, never by key: memory holds no secret longer than a request.
        self._good: OrderedDict[bytes, _Remembered] = OrderedDict()
        # Apart, so that whoever tries keys does not push good ones out.
        self._refused: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._about_known = _Questions(asyncio.Semaphore(MAX_LOOKUPS))
        self._about_strangers = _Questions(asyncio.Semaphore(MAX_STRANGE_LOOKUPS))

    async def authenticate(
        self, api_key: bytes | None, authorization: bytes | None = None
    ) -> Principal:
        """Who sent these headers.

        Args:
            api_key: value of `X-API-Key`; counts first.
            authorization: value of `Authorization`; `Bearer <key>`.

        Raises:
            HttpProblem: 401: no key, not the form of one, unknown, revoked or expired.
            StoreUnavailable: the key is not known here and PostgreSQL does not answer, or too many
                such keys are asked about.
        """
        key = parse_key(_token(api_key, authorization))
        if key is None:
            raise _refusal()
        digest = hash_key(self._pepper, key)
        known = self._good.get(digest) or self._refused.get(digest)
        if known is None or self._must_ask(known):
            known = await self._ask(digest, key.key_id, known)
        elif self._should_ask(known):
            self._start_asking(digest, key.key_id, known)
        if known.principal is None or self._wall_clock() >= known.expires_at_s:
            raise _refusal()
        return known.principal

    def _must_ask(self, known: _Remembered) -> bool:
        now = self._clock()
        if known.failing:
            return now - known.checked_at > STALE_S
        return now >= known.ask_again_at

    def _should_ask(self, known: _Remembered) -> bool:
        now = self._clock()
        if known.failing:
            return now >= known.ask_again_at
        return known.principal is not None and now - known.checked_at > FRESH_S * 2 / 3

    async def _ask(self, digest: bytes, key_id: str, known: _Remembered | None) -> _Remembered:
        # Shielded: one impatient client must not cancel the lookup that others wait for.
        return await asyncio.shield(self._start_asking(digest, key_id, known))

    def _start_asking(
        self, digest: bytes, key_id: str, known: _Remembered | None
    ) -> asyncio.Task[_Remembered]:
        is_stranger = known is None or known.principal is None
        questions = self._about_strangers if is_stranger else self._about_known
        asking = questions.asking.get(digest)
        if asking is None:
            if is_stranger and len(questions.asking) >= MAX_STRANGERS:
                raise _unknowable()
            coming = self._lookup(questions.slots, digest, key_id, known)
            asking = asyncio.get_running_loop().create_task(coming)
            questions.asking[digest] = asking
            asking.add_done_callback(lambda task: _asked(questions, digest, task))
        return asking

    async def _lookup(
        self, slots: asyncio.Semaphore, digest: bytes, key_id: str, known: _Remembered | None
    ) -> _Remembered:
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S), slots:
                record = await self._find(key_id)
        except Exception as error:
            return self._stale(known, error)
        now = self._clock()
        good = (
            record is not None
            and record.revoked_at is None
            and compare_digest(bytes(record.hash), digest)
        )
        if not good or record is None:
            self._good.pop(digest, None)
            return _remember(
                self._refused, digest, _Remembered(None, 0.0, now, now + REFUSED_S), MAX_REFUSED
            )
        self._refused.pop(digest, None)
        expires = float("inf") if record.expires_at is None else record.expires_at.timestamp()
        principal = Principal(record.key_id, record.tenant, record.tier)
        return _remember(
            self._good, digest, _Remembered(principal, expires, now, now + FRESH_S), MAX_GOOD
        )

    def _stale(self, known: _Remembered | None, error: Exception) -> _Remembered:
        now = self._clock()
        if known is None or known.principal is None or now - known.checked_at > STALE_S:
            raise _unknowable() from error
        known.failing = True
        known.ask_again_at = now + RETRY_S
        return known


def _asked(questions: _Questions, digest: bytes, task: asyncio.Task[_Remembered]) -> None:
    questions.asking.pop(digest, None)
    if not task.cancelled():
        task.exception()  # seen: a background refresh has nobody else to see it


def _remember(
    cache: OrderedDict[bytes, _Remembered], digest: bytes, remembered: _Remembered, cap: int
) -> _Remembered:
    cache[digest] = remembered
    cache.move_to_end(digest)
    if len(cache) > cap:
        cache.popitem(last=False)
    return remembered


def _token(api_key: bytes | None, authorization: bytes | None) -> str:
    if api_key is not None:
        return api_key.decode("latin-1").strip()
    if authorization is not None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
    return ""


def _unknowable() -> StoreUnavailable:
    return StoreUnavailable("the key cannot be checked now")


def _refusal() -> HttpProblem:
    # One sentence for every reason: which keys exist is nobody's business.
    detail = "send a valid API key as X-API-Key or as Authorization: Bearer"
    return HttpProblem("unauthenticated", detail, CHALLENGE)
