"""What decisions are looked for, and the cursor from one page to the next.

A page is the newest decisions of a span of time that lie before a place in it. The place and the
span are in the cursor, so that decisions made meanwhile move nothing. What else is looked for is
not: a cursor may lie in logs and histories. It holds a digest of that, to notice another search.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

DEFAULT_SPAN_DAYS: Final = 30
MAX_SPAN_DAYS: Final = 366
DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
DAY_MS: Final = 86_400_000

_CURSOR = struct.Struct(">BQQ16s8s")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Search:
    """What decisions are looked for.

    Attributes:
        from_ms, to_ms: when they were made, milliseconds since the epoch, the end exclusive.
        limit: decisions of a page at most, 1 to `MAX_PAGE`.
        transaction_id, customer_id, outcome: None for any.
        before: decisions that came before this one; None: from the newest on.
        happened_from_ms, happened_to_ms: between which times their payments happened.
    """

    from_ms: int
    to_ms: int
    limit: int = DEFAULT_PAGE
    transaction_id: str | None = None
    customer_id: str | None = None
    outcome: str | None = None
    before: UUID | None = None
    happened_from_ms: int = 0
    happened_to_ms: int = 4_102_444_800_000

    @property
    def first_id(self) -> UUID:
        """No decision of the span has a smaller id."""
        return UUID(int=max(self.from_ms, 0) << 80)

    @property
    def end_id(self) -> UUID:
        """Every decision of the page has a smaller id."""
        return self.before or UUID(int=max(self.to_ms, 0) << 80)

    def cursor(self, last: UUID) -> str:
        """The cursor to the page after the one that ends with `last`."""
        packed = _CURSOR.pack(_VERSION, self.from_ms, self.to_ms, last.bytes, self.digest())
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    def digest(self) -> bytes:
        """Eight bytes that another search has not."""
        parts = (self.transaction_id, self.customer_id, self.outcome)
        return hashlib.sha256(repr(parts).encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class Place:
    """What a cursor says; see Search."""

    from_ms: int
    to_ms: int
    before: UUID
    digest: bytes


def read_cursor(text: str) -> Place | None:
    """What a cursor says, None if it is none."""
    try:
        # b64decode passes over what is not of its alphabet, and over bits that nobody reads.
        packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        version, from_ms, to_ms, before, digest = _CURSOR.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        return None
    if version != _VERSION or base64.urlsafe_b64encode(packed).rstrip(b"=").decode() != text:
        return None
    return Place(from_ms, to_ms, UUID(bytes=before), digest)
