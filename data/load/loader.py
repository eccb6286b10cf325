"""Files -> PostgreSQL: checked, resumable, each row once, however often it is run."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from data.files.source import Chunk, Source, digest_of, open_source
from data.layout.layout import Layout, load_layout
from data.load.rejects import Rejects
from data.rows.canonical import CanonicalRows, canonical_rows
from data.rows.identity import IdentityResolver, Labels, PaymentIdentity, ResolvedRows
from data.rows.label_join import read_joined_labels
from data.rows.rejections import RejectionReasons, require_readable_columns
from fraud.errors import QuorumError
from stores.postgres.connect import connect
from stores.postgres.lock import Lock
from stores.statements import statement

_CLAIM = "quorum.load"
_MOST_NAMED = 20
"""Ids that a report names at most."""


class LoadBusy(QuorumError):
    """Another process is loading the same file for the same tenant."""


@dataclass(slots=True)
class LoadReport:
    """What a load did.

    Attributes:
        source: SHA-256 over layout and bytes: a file that changed is another source.
        rows: rows of the file that were looked at in this run.
        resumed_after: rows that an earlier run had done; they are not looked at again.
        loaded: new transactions.
        already_there: sound rows that the database held already.
        bad: rows refused, all runs of this source together; `rejects` lists them.
        reused: rows whose id another payment had before, refused or kept apart as the layout says.
        reused_ids: the first of their ids -> their places in the file, from 1.
        labels: new labels.
        finished: the end of the file is reached.
        seconds, rows_per_s: of this run.
        rejects: file of the bad rows, None if there are none.
        reasons: why they were refused, those of this run: see `RejectionReasons.as_list`.
        labels_left_out: labels that could not be taken with their row, this run: why -> how many.
    """

    file: str
    layout: str
    tenant: str
    source: str
    rows: int = 0
    resumed_after: int = 0
    loaded: int = 0
    already_there: int = 0
    bad: int = 0
    reused: int = 0
    reused_ids: dict[str, list[int]] = field(default_factory=dict)
    labels: int = 0
    finished: bool = False
    seconds: float = 0.0
    rows_per_s: float = 0.0
    rejects: str | None = None
    reasons: list[dict[str, Any]] = field(default_factory=list)
    labels_left_out: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The report, JSON-ready."""
        return asdict(self)


Progress = Callable[[LoadReport, float], None]
"""Called after every chunk with what is done and the part of the file behind us, in [0, 1]."""


async def load_file(
    database_url: str,
    path: Path,
    layout: str | Layout,
    *,
    tenant: str = "default",
    rejects: Path | None = None,
    rejects_folder: Path | None = None,
    limit: int | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Load a file into `transactions` and `labels`.

    Rows and how far they reach are committed together, chunk by chunk, so a run that was killed
    goes on where it stopped and a finished file is not read twice. Memory does not grow with the
    file: about 250 MB.

    Args:
        layout: name of a layout, path of one, or a layout.
        rejects: CSV file of the refused rows; None: a file of its own in `rejects_folder`, named
            after the file and this source and tenant.
        rejects_folder: None: the folder of the file.
        limit: stop after this many rows of the file.
        again: begin at the first row whatever was done; rows that are there stay as they are.

    Raises:
        LayoutInvalid: the layout is wrong, or the file lacks one of its columns, or the cells of
            one can mostly not be read (`MostlyUnreadable`): then nothing is loaded.
        SourceUnreadable: the file is missing, empty or damaged.
        LoadBusy: another process is at it.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    plan = layout if isinstance(layout, Layout) else load_layout(layout)
    source = open_source(path, plan.dialect)
    names = source.names()
    plan = plan.without(plan.columns() - frozenset(names), names)
    digest = await asyncio.to_thread(_source_id, path, plan)
    report = LoadReport(str(path), plan.name, tenant, digest)
    where = rejects or (rejects_folder or path.parent) / _rejects_name(path, tenant, digest)
    connection = await connect(database_url)
    try:
        claim = await Lock.on(database_url, name="quorum-load")
    except BaseException:
        connection.terminate()
        raise
    try:
        # Held by a connection: it is free again the moment this process is gone.
        if not await claim.take(_CLAIM, f"{tenant} {digest}"):
            raise LoadBusy("another process is loading this file for this tenant")
        run = _Run(connection, plan, source, path, report, Rejects(where))
        await run.begin(again)
        await run.all(limit, progress)
    finally:
        await claim.close()
        await connection.close()
    return report


def _rejects_name(path: Path, tenant: str, source: str) -> str:
    whose = hashlib.sha256(f"{tenant}\0{source}".encode()).hexdigest()[:8]
    return f"{path.name}.{whose}.rejected.csv"


def _source_id(path: Path, layout: Layout) -> str:
    return layout.source_id(digest_of(path))


class _Run:
    """One run over one file."""

    def __init__(
        self,
        connection: Any,
        layout: Layout,
        source: Source,
        path: Path,
        report: LoadReport,
        rejects: Rejects,
    ) -> None:
        self._connection = connection
        self._layout = layout
        self._source = source
        self._path = path
        self._report = report
        self._rejects = rejects
        self._reasons = RejectionReasons()
        self._months: set[datetime] = set()
        self._done = 0

    async def begin(self, again: bool) -> None:
        """Find out how far earlier runs came."""
        found = await self._connection.fetchrow(
            statement("data/load/sql/progress_read.sql"), self._report.tenant, self._report.source
        )
        if found is not None and not again:
            self._done = self._report.resumed_after = found["rows_done"]
            self._report.bad = found["rows_bad"]
            self._report.finished = found["finished"]
        self._rejects.resume(self._done)

    async def all(self, limit: int | None, progress: Progress | None) -> None:
        """Load what is left; the next chunk is read while PostgreSQL takes the current one."""
        started = time.monotonic()
        if not self._report.finished:
            try:
                await self._chunks(limit, progress, started)
            finally:
                await self._leave_statistics()
        self._tick(started)
        if self._report.bad:
            self._report.rejects = str(self._rejects.path)

    async def _chunks(self, limit: int | None, progress: Progress | None, started: float) -> None:
        ready = self._ready(limit)
        coming = asyncio.create_task(asyncio.to_thread(next, ready, None))
        try:
            while (item := await coming) is not None:
                coming = asyncio.create_task(asyncio.to_thread(next, ready, None))
                chunk, rows = item
                await self._store(chunk, rows)
                self._tick(started)
                if progress is not None:
                    progress(self._report, chunk.share)
        finally:
            # The thread reads on to the end of its chunk whatever happens here.
            await asyncio.gather(coming, return_exceptions=True)
        self._report.finished = limit is None or self._done < limit
        await self._write_progress()

    async def _leave_statistics(self) -> None:
        """Whoever reads next is planned for by what is there now, also if this run was cut off.
        Autovacuum would come later, and never looks at a partitioned table as a whole."""
        report = self._report
        if not (report.loaded or report.labels) or self._connection.is_closed():
            return
        # What is loaded stays loaded: no read depends on its statistics.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            for table in ("transactions", "labels"):
                await self._connection.execute(f"ANALYZE {table}")

    def _ready(self, limit: int | None) -> Iterator[tuple[Chunk, CanonicalRows]]:
        joined = read_joined_labels(self._path, self._layout)
        # Short, but of the file's own bytes: row 7 of two files is not the same payment.
        tag = self._report.source[:8]
        first = self._done == 0
        for chunk in self._source.chunks(self._layout.columns(), self._done, limit):
            rows = canonical_rows(chunk, self._layout, tag, joined)
            if first:
                require_readable_columns(chunk, rows, self._layout)
            first = False
            yield chunk, rows

    async def _store(self, chunk: Chunk, rows: CanonicalRows) -> None:
        await self._ensure_months(rows.table)
        before, self._done = self._done, chunk.rows_done
        async with self._connection.transaction():
            await self._connection.execute(statement("data/load/sql/staging.sql"))
            await self._connection.execute(
                statement("data/load/sql/lock_tenant.sql"), self._report.tenant
            )
            told = await self._tell_apart(rows)
            bad = sorted(rows.bad + told.bad, key=lambda b: b.row)
            self._rejects.add(bad)
            await self._stage(told)
            loaded = _count(
                await self._connection.execute(
                    statement("data/load/sql/insert_transactions.sql"), self._report.tenant
                )
            )
            labels = _count(await self._insert_labels())
            self._report.bad += rows.n_bad + len(told.bad)
            await self._write_progress()
        self._report.rows += self._done - before
        self._report.loaded += loaded
        self._report.already_there += told.table.num_rows - loaded
        self._report.labels += labels
        self._reasons.add(bad)
        self._report.reasons = self._reasons.as_list()
        left_out = self._report.labels_left_out
        for why, n in rows.left_out.items():
            left_out[why] = left_out.get(why, 0) + n
        self._note_reused(told.reused)

    async def _tell_apart(self, rows: CanonicalRows) -> ResolvedRows:
        """The chunk's payments, told apart from each other and from those on record."""
        telling = IdentityResolver(rows.table, rows.rows, rows.lines, self._layout.repeated)
        apart = telling.met(await self._on_record(telling.ids))
        doubtful = telling.doubtful
        if not doubtful:
            return telling.told({}, {})
        under = await self._on_record(apart) if apart else {}
        return telling.told(under, await self._said_of([*doubtful, *apart]))

    async def _on_record(self, ids: list[str]) -> dict[str, list[PaymentIdentity]]:
        found: dict[str, list[PaymentIdentity]] = {}
        tenant = self._report.tenant
        for one, *payment in await self._connection.fetch(
            statement("data/load/sql/payments_of.sql"), tenant, ids
        ):
            found.setdefault(one, []).append(PaymentIdentity(*payment))
        return found

    async def _said_of(self, ids: list[str]) -> Labels:
        if self._layout.label is None:
            return {}
        source = self._layout.label.source
        rows = await self._connection.fetch(
            statement("data/load/sql/labels_of.sql"), self._report.tenant, ids, source
        )
        return {(one, known_at): is_fraud for one, known_at, is_fraud in rows}

    def _note_reused(self, reused: dict[str, list[int]]) -> None:
        self._report.reused += sum(map(len, reused.values()))
        for one, rows in reused.items():
            if one in self._report.reused_ids or len(self._report.reused_ids) < _MOST_NAMED:
                self._report.reused_ids.setdefault(one, []).extend(rows)

    async def _insert_labels(self) -> str:
        if self._layout.label is None:
            return "INSERT 0 0"
        status: str = await self._connection.execute(
            statement("data/load/sql/insert_labels.sql"),
            self._report.tenant,
            self._layout.label.source,
        )
        return status

    async def _ensure_months(self, table: pa.Table) -> None:
        # Outside the chunk's transaction: making a partition locks the whole table, and payments
        # that are being decided on must not wait for a chunk.
        months = pc.unique(pc.floor_temporal(table["occurred_at"], unit="month")).to_pylist()
        for month in sorted(set(months) - self._months):
            await self._connection.execute(
                "SELECT ensure_month('transactions', $1::timestamptz)", month
            )
            self._months.add(month)

    async def _stage(self, told: ResolvedRows) -> None:
        table = told.table.append_column("is_new", pa.array(told.is_new))
        if table.num_rows == 0:
            return
        text = io.BytesIO()
        pacsv.write_csv(table, text, pacsv.WriteOptions(include_header=False))
        text.seek(0)
        await self._connection.copy_to_table(
            "load_staging", source=text, columns=table.column_names, format="csv"
        )

    async def _write_progress(self) -> None:
        report = self._report
        await self._connection.execute(
            statement("data/load/sql/progress_write.sql"),
            report.tenant,
            report.source,
            self._done,
            report.bad,
            report.finished,
        )

    def _tick(self, started: float) -> None:
        self._report.seconds = round(time.monotonic() - started, 3)
        self._report.rows_per_s = round(self._report.rows / max(self._report.seconds, 1e-3), 1)


def _count(status: str) -> int:
    """Rows of a command tag such as `INSERT 0 17`."""
    return int(status.rsplit(" ", 1)[1])
