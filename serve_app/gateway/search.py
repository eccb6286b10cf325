"""A search for decisions, and the cursor from one page to the next.

A page holds the newest decisions of a period that lie before a position in it. The cursor holds the
period and the position, so that decisions made meanwhile shift nothing. It does not hold the other
criteria, since cursors end up in logs and browser histories, but a digest of them, to detect a
cursor of another search.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fraud.payment.limits import MAX_TIMESTAMP_MS

DEFAULT_SPAN_DAYS: Final = 30
MAX_SPAN_DAYS: Final = 366
DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
DAY_MS: Final = 86_400_000

_CURSOR = struct.Struct(">BQQ16s8s")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Search:
    """Criteria of a search.

    Attributes:
        from_ms, to_ms: when the decisions were made, milliseconds since the epoch, end exclusive.
        limit: most decisions of a page, 1 to `MAX_PAGE`.
        transaction_id, customer_id, outcome: None for any.
        before: only decisions older than this one; None: from the newest on.
        happened_from_ms, happened_to_ms: bounds on when their payments happened.
    """

    from_ms: int
    to_ms: int
    limit: int = DEFAULT_PAGE
    transaction_id: str | None = None
    customer_id: str | None = None
    outcome: str | None = None
    before: UUID | None = None
    happened_from_ms: int = 0
    happened_to_ms: int = MAX_TIMESTAMP_MS

    @property
    def first_id(self) -> UUID:
        """The lower bound of the ids, inclusive."""
        return UUID(int=max(self.from_ms, 0) << 80)

    @property
    def end_id(self) -> UUID:
        """The upper bound of the ids, exclusive."""
        return self.before or UUID(int=max(self.to_ms, 0) << 80)

    def cursor(self, last: UUID) -> str:
        """Return the cursor of the page after the one that ends with `last`."""
        packed = _CURSOR.pack(_VERSION, self.from_ms, self.to_ms, last.bytes, self.digest())
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    def digest(self) -> bytes:
        """Return eight bytes that differ between searches."""
        parts = (self.transaction_id, self.customer_id, self.outcome)
        return hashlib.sha256(repr(parts).encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class Position:
    """The content of a cursor; see Search."""

    from_ms: int
    to_ms: int
    before: UUID
    digest: bytes


def read_cursor(text: str) -> Position | None:
    """Return the content of a cursor, None if the text is not a cursor."""
    try:
        # b64decode ignores characters outside its alphabet and unused trailing bits.
        packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        version, from_ms, to_ms, before, digest = _CURSOR.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        return None
    if version != _VERSION or base64.urlsafe_b64encode(packed).rstrip(b"=").decode() != text:
        return None
    return Position(from_ms, to_ms, UUID(bytes=before), digest)
