"""The tables that a load writes to, for one tenant and one source."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from data.rows.identity import Labels, PaymentIdentity, ResolvedRows
from stores.statements import statement


class RowsDone(NamedTuple):
    """How far the runs of a source came: rows of the file done, rows rejected, the end reached."""

    rows_done: int
    rows_bad: int
    finished: bool


@dataclass
class LoadTarget:
    """Reads and writes through one connection of asyncpg.

    Attributes:
        source: id of the file and the layout, see `Layout.source_id`.
        label_source: stored with each label; None: the layout has no label.
    """

    connection: Any
    tenant: str
    source: str
    label_source: str | None
    _months: set[datetime] = field(default_factory=set, init=False)

    def transaction(self) -> Any:
        """Return a transaction, for `async with`."""
        return self.connection.transaction()

    async def progress(self) -> RowsDone | None:
        """Return how far earlier runs came; None if there were none."""
        row = await self.connection.fetchrow(
            statement("data/load/sql/progress_read.sql"), self.tenant, self.source
        )
        return None if row is None else RowsDone(*row)

    async def write_progress(self, progress: RowsDone) -> None:
        """Store how far this run came."""
        await self.connection.execute(
            statement("data/load/sql/progress_write.sql"), self.tenant, self.source, *progress
        )

    async def begin_chunk(self) -> None:
        """Create the staging table of this transaction, and wait for other loads of the tenant."""
        await self.connection.execute(statement("data/load/sql/staging.sql"))
        await self.connection.execute(statement("data/load/sql/lock_tenant.sql"), self.tenant)

    async def payments(self, ids: list[str]) -> dict[str, list[PaymentIdentity]]:
        """Return the payments on record under some ids."""
        found: dict[str, list[PaymentIdentity]] = {}
        for one, *payment in await self.connection.fetch(
            statement("data/load/sql/payments_of.sql"), self.tenant, ids
        ):
            found.setdefault(one, []).append(PaymentIdentity(*payment))
        return found

    async def labels(self, ids: list[str]) -> Labels:
        """Return the labels on record from the source of this file."""
        if self.label_source is None:
            return {}
        rows = await self.connection.fetch(
            statement("data/load/sql/labels_of.sql"), self.tenant, ids, self.label_source
        )
        return {(one, known_at): is_fraud for one, known_at, is_fraud in rows}

    async def insert(self, rows: ResolvedRows) -> tuple[int, int]:
        """Insert the rows of a chunk. Return the numbers of new transactions and labels."""
        await self._stage(rows)
        transactions = await self.connection.execute(
            statement("data/load/sql/insert_transactions.sql"), self.tenant
        )
        if self.label_source is None:
            return _count(transactions), 0
        labels = await self.connection.execute(
            statement("data/load/sql/insert_labels.sql"), self.tenant, self.label_source
        )
        return _count(transactions), _count(labels)

    async def _stage(self, rows: ResolvedRows) -> None:
        table = rows.table.append_column("is_new", pa.array(rows.is_new))
        if table.num_rows == 0:
            return
        text = io.BytesIO()
        pacsv.write_csv(table, text, pacsv.WriteOptions(include_header=False))
        text.seek(0)
        await self.connection.copy_to_table(
            "load_staging", source=text, columns=table.column_names, format="csv"
        )

    async def ensure_months(self, table: pa.Table) -> None:
        """Create the partitions of a chunk's months.

        Call it outside the chunk's transaction: creating a partition locks the whole table, and
        payments that are being decided must not wait for a chunk.
        """
        months = pc.unique(pc.floor_temporal(table["occurred_at"], unit="month")).to_pylist()
        for month in sorted(set(months) - self._months):
            await self.connection.execute(
                "SELECT ensure_month('transactions', $1::timestamptz)", month
            )
            self._months.add(month)

    async def update_statistics(self) -> None:
        """Let the planner know what the tables hold now.

        Autovacuum would do so later, and never analyzes a partitioned table as a whole. A failure
        changes nothing about what is loaded.
        """
        if self.connection.is_closed():
            return
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            for table in ("transactions", "labels"):
                await self.connection.execute(f"ANALYZE {table}")


def _count(status: str) -> int:
    """The rows of a command tag such as `INSERT 0 17`."""
    return int(status.rsplit(" ", 1)[1])
