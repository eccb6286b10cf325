"""Decision ids: UUIDs of version 7 (RFC 9562). Their time part is when the decision was made."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_RANDOM_BITS = 74
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_LOW_MASK = (1 << 62) - 1
_MAX_MS = (1 << 48) - 1


def decision_ids(n: int, now_ms: int, randomness: Callable[[int], bytes]) -> list[str]:
    """n UUIDv7s of one moment, rising, with 74 random bits each.

    Args:
        n: how many, >= 0.
        now_ms: milliseconds since the epoch, 0 <= now_ms < 2**48.
        randomness: k -> k random bytes, e.g. `os.urandom`.

    Raises:
        ValueError: `now_ms` does not fit.
    """
    if not 0 <= now_ms <= _MAX_MS:
        raise ValueError("now_ms: from 0 to 2**48 - 1")
    pool = randomness(10 * n)
    # Sorted, so that ids rise within a batch: an index that takes them in order stays compact.
    tails = sorted(
        int.from_bytes(pool[10 * i : 10 * i + 10], "big") & _RANDOM_MASK for i in range(n)
    )
    head = f"{now_ms:012x}"
    prefix = f"{head[:8]}-{head[8:]}-7"
    return [prefix + _tail(tail) for tail in tails]


def _tail(random: int) -> str:
    low = f"{(0b10 << 62) | (random & _LOW_MASK):016x}"
    return f"{random >> 62:03x}-{low[:4]}-{low[4:]}"


def decided_at_ms(decision_id: str) -> int:
    """The moment in a decision id: milliseconds since the epoch.

    Raises:
        ValueError: not a UUIDv7.

    >>> decided_at_ms("019a0000-0001-7000-8000-000000000000")
    1760936591361
    """
    parsed = UUID(decision_id)
    if parsed.version != 7:
        raise ValueError("not a UUIDv7")
    return parsed.int >> 80
