"""Where the shipper writes records for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fraud.errors import QuorumError
from fraud.record import RecordBatch


class RecordRefused(QuorumError):
    """The sink will never accept these records, however often they are sent."""


class RecordSink(Protocol):
    """A store of records. Inserting a record again changes nothing."""

    async def insert(self, batches: Sequence[RecordBatch]) -> int:
        """Insert all records or none. Records that are there already stay as they are.

        Returns:
            How many records were there already.

        Raises:
            RecordRefused: at least one of them can never be inserted.
            StoreUnavailable: the sink does not answer now.
        """

    async def close(self) -> None:
        """Close the connection. Idempotent; the next `insert` opens another one."""
