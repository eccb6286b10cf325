"""Decision ids: UUIDs of version 7 (RFC 9562). Their time part is when the decision was made."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_MAX_MS = (1 << 48) - 1
_VARIANT = {f"{digit:x}": f"{0b1000 | digit & 0b11:x}" for digit in range(16)}
"""Hex digit -> the one that keeps two of its bits behind the two variant bits of RFC 9562."""


def decision_ids(n: int, now_ms: int, randomness: Callable[[int], bytes]) -> list[str]:
    """Return n rising UUIDv7s of one moment, with 74 random bits each.

    Args:
        n: how many, >= 0.
        now_ms: milliseconds since the epoch, 0 <= now_ms < 2**48.
        randomness: k -> k random bytes, e.g. `os.urandom`.

    Raises:
        ValueError: `now_ms` does not fit.
    """
    if not 0 <= now_ms <= _MAX_MS:
        raise ValueError("now_ms: expected 0 to 2**48 - 1")
    digits = randomness(10 * n).hex()
    # Sorted, so that ids rise within a batch: an index that takes them in order stays compact.
    tails = sorted([_tail(digits[at : at + 19]) for at in range(0, 20 * n, 20)])
    head = f"{now_ms:012x}"
    prefix = f"{head[:8]}-{head[8:]}-7"
    return [prefix + tail for tail in tails]


def _tail(digits: str) -> str:
    """The part of a UUID after its version, with 74 bits of 19 random hex digits."""
    return f"{digits[:3]}-{_VARIANT[digits[3]]}{digits[4:7]}-{digits[7:]}"


def decided_at_ms(decision_id: str) -> int:
    """Return the time in a decision id, milliseconds since the epoch.

    Raises:
        ValueError: not a UUIDv7.

    >>> decided_at_ms("019a0000-0001-7000-8000-000000000000")
    1760936591361
    """
    parsed = UUID(decision_id)
    if parsed.version != 7:
        raise ValueError("not a UUIDv7")
    return parsed.int >> 80
