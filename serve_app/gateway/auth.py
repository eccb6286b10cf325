"""Authentication: API keys, looked up in PostgreSQL and cached for a short time.

A valid key stays valid for `FRESH_S` without a look-up; after two thirds of that it is looked up in
the background, so that a busy key never waits. While PostgreSQL does not answer, a known key is
valid for `STALE_S` at most, and an unknown one is an error: it cannot be checked. So a revoked key
is refused within `FRESH_S`, or within `STALE_S` while PostgreSQL is down; a change of its scopes or
tier applies as fast. Usually it takes a second or two: `key_changes.py` asks for changes, and
`Authenticator.check_again` has those keys looked up. Guessing keys does not delay the look-ups of
known ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from fraud.access.keys import FRESH_S, STALE_S, hash_key, parse_key
from fraud.access.scopes import Scope, granted
from fraud.errors import StoreUnavailable
from serve_app.gateway.errors import InsufficientScope, Unauthenticated

REFUSED_S = 5.0
RETRY_S = 2.0
LOOKUP_TIMEOUT_S = 1.0
MAX_VALID = 10_000
MAX_REFUSED = 1_000
MAX_LOOKUPS = 4
"""Concurrent look-ups of keys that were valid."""
MAX_UNKNOWN_LOOKUPS = 3
"""Concurrent look-ups of all others: by default they leave one connection free."""
MAX_UNKNOWN_KEYS = 256
"""Most other keys being looked up or waiting: about as many as are answered in time."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A row of `api_keys`."""

    key_id: str
    tenant: str
    tier: str
    scopes: Sequence[str]
    hash: bytes
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. Everything it does is done for `tenant`.

    Attributes:
        scopes: everything that it may do, with what a wider scope includes.
    """

    key_id: str
    tenant: str
    tier: str
    scopes: frozenset[Scope] = frozenset()

    def require(self, scope: Scope) -> None:
        """Do nothing if the caller has a scope.

        Raises:
            InsufficientScope: it has not.
        """
        if scope not in self.scopes:
            raise InsufficientScope(scope)


@dataclass(slots=True)
class _CachedKey:
    principal: Principal | None  # None: refused
    expires_at_s: float  # wall clock
    checked_at: float  # monotonic, like the next
    check_again_at: float
    failing: bool = False  # the last look-up was not answered


@dataclass(slots=True)
class _Lookups:
    """Look-ups by key hash, as many at once as there are `slots`."""

    slots: asyncio.Semaphore
    running: dict[bytes, asyncio.Task[_CachedKey]] = field(default_factory=dict)


FindKey = Callable[[str], Awaitable[KeyRecord | None]]


class Authenticator:
    """Turns an API key into a Principal.

    Args:
        find: returns a key's record by its id, None if there is none. May raise anything when the
            store does not answer.
        pepper: secret that the stored hashes depend on, not empty.
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
        self._valid: OrderedDict[bytes, _CachedKey] = OrderedDict()
        # Separate, so that guessed keys do not evict valid ones.
        self._refused: OrderedDict[bytes, _CachedKey] = OrderedDict()
        self._known_lookups = _Lookups(asyncio.Semaphore(MAX_LOOKUPS))
        self._unknown_lookups = _Lookups(asyncio.Semaphore(MAX_UNKNOWN_LOOKUPS))
        # By id, when a change of a key was told: a look-up that began before may have missed it.
        self._changed: dict[str, float] = {}

    async def authenticate(self, credential: str) -> Principal:
        """Return the owner of an API key.

        Args:
            credential: the key as the caller sent it; "" if none came.

        Raises:
            Unauthenticated: no key, malformed, unknown, revoked or expired.
            StoreUnavailable: the key is not cached and PostgreSQL does not answer, or too many such
                keys are being looked up.
        """
        key = parse_key(credential)
        if key is None:
            raise _refusal()
        digest = hash_key(self._pepper, key)
        cached = self._valid.get(digest) or self._refused.get(digest)
        if cached is None or self._must_check(cached):
            cached = await self._check(digest, key.key_id, cached)
        elif self._should_check(cached):
            self._start_lookup(digest, key.key_id, cached)
        if cached.principal is None or self._wall_clock() >= cached.expires_at_s:
            raise _refusal()
        return cached.principal

    def check_again(self, key_ids: Collection[str]) -> None:
        """Have valid keys looked up before they are accepted again.

        Args:
            key_ids: of keys that were changed; unknown ones are ignored.
        """
        if not key_ids:
            return
        now = self._clock()
        recent = {k: at for k, at in self._changed.items() if now - at < 2 * LOOKUP_TIMEOUT_S}
        self._changed = recent | dict.fromkeys(key_ids, now)
        for cached in self._valid.values():
            if cached.principal is not None and cached.principal.key_id in key_ids:
                cached.check_again_at = now

    def _must_check(self, cached: _CachedKey) -> bool:
        now = self._clock()
        if cached.failing:
            return now - cached.checked_at > STALE_S
        return now >= cached.check_again_at

    def _should_check(self, cached: _CachedKey) -> bool:
        now = self._clock()
        if cached.failing:
            return now >= cached.check_again_at
        return cached.principal is not None and now - cached.checked_at > FRESH_S * 2 / 3

    async def _check(self, digest: bytes, key_id: str, cached: _CachedKey | None) -> _CachedKey:
        # Shielded: one caller that leaves must not cancel the look-up that others wait for.
        return await asyncio.shield(self._start_lookup(digest, key_id, cached))

    def _start_lookup(
        self, digest: bytes, key_id: str, cached: _CachedKey | None
    ) -> asyncio.Task[_CachedKey]:
        is_unknown = cached is None or cached.principal is None
        lookups = self._unknown_lookups if is_unknown else self._known_lookups
        running = lookups.running.get(digest)
        if running is None:
            if is_unknown and len(lookups.running) >= MAX_UNKNOWN_KEYS:
                raise _cannot_check()
            lookup = self._lookup(lookups.slots, digest, key_id, cached)
            running = asyncio.get_running_loop().create_task(lookup)
            lookups.running[digest] = running
            running.add_done_callback(lambda task: _lookup_ended(lookups, digest, task))
        return running

    async def _lookup(
        self, slots: asyncio.Semaphore, digest: bytes, key_id: str, cached: _CachedKey | None
    ) -> _CachedKey:
        began = self._clock()
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S), slots:
                record = await self._find(key_id)
        except Exception as error:
            return self._stale(cached, error)
        now = self._clock()
        is_valid = (
            record is not None
            and record.revoked_at is None
            and compare_digest(bytes(record.hash), digest)
        )
        if not is_valid or record is None:
            self._valid.pop(digest, None)
            return _cache(
                self._refused, digest, _CachedKey(None, 0.0, now, now + REFUSED_S), MAX_REFUSED
            )
        self._refused.pop(digest, None)
        expires = float("inf") if record.expires_at is None else record.expires_at.timestamp()
        # Resolved here, once a look-up: each call then only asks a set.
        scopes = granted(record.scopes)
        principal = Principal(record.key_id, record.tenant, record.tier, scopes)
        missed = self._changed.get(key_id, began - 1.0) >= began
        again_at = now if missed else now + FRESH_S
        return _cache(self._valid, digest, _CachedKey(principal, expires, now, again_at), MAX_VALID)

    def _stale(self, cached: _CachedKey | None, error: Exception) -> _CachedKey:
        now = self._clock()
        if cached is None or cached.principal is None or now - cached.checked_at > STALE_S:
            raise _cannot_check() from error
        cached.failing = True
        cached.check_again_at = now + RETRY_S
        return cached


def _lookup_ended(lookups: _Lookups, digest: bytes, task: asyncio.Task[_CachedKey]) -> None:
    lookups.running.pop(digest, None)
    if not task.cancelled():
        task.exception()  # retrieved here: nothing awaits a background look-up


def _cache(
    cache: OrderedDict[bytes, _CachedKey], digest: bytes, entry: _CachedKey, max_size: int
) -> _CachedKey:
    cache[digest] = entry
    cache.move_to_end(digest)
    if len(cache) > max_size:
        cache.popitem(last=False)
    return entry


def _cannot_check() -> StoreUnavailable:
    return StoreUnavailable("the API key cannot be checked now")


def _refusal() -> Unauthenticated:
    return Unauthenticated("no valid API key")
