"""Files into PostgreSQL: checked, resumable, each row once, however often it is run."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.files.source import Chunk, Source, digest_of, open_source
from data.layout.layout import Layout, load_layout
from data.load.rejects import Rejects
from data.load.report import LoadReport, Progress
from data.load.target import LoadTarget, RowsDone
from data.rows.canonical import CanonicalRows, canonical_rows
from data.rows.identity import IdentityResolver, ResolvedRows
from data.rows.label_join import read_joined_labels
from data.rows.rejections import RejectionReasons, require_readable_columns
from fraud.errors import QuorumError
from stores.postgres.connect import connection
from stores.postgres.lock import Lock

__all__ = ["LoadBusy", "LoadReport", "load_file"]

_LOCK = "quorum.load"


class LoadBusy(QuorumError):
    """Another process is loading the same file for the same tenant."""


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

    Rows and progress are committed together, chunk by chunk: a run that was killed continues where
    it stopped, and a finished file is not read twice. Memory does not grow with the file: it takes
    about 250 MB.

    Args:
        layout: name of a layout, path of one, or a layout.
        rejects: CSV file of the rejected rows; None: a file in `rejects_folder`, named after the
            file, this source and the tenant.
        rejects_folder: None: the folder of the file.
        limit: stop after this many rows of the file.
        again: begin at the first row whatever was done. Rows in the database stay as they are.

    Raises:
        LayoutInvalid: the layout is wrong, or the file lacks one of its columns, or most cells of
            a column cannot be read (`MostlyUnreadable`). Nothing is loaded.
        SourceUnreadable: the file is missing, empty or damaged.
        LoadBusy: another process is loading it.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    layout = layout if isinstance(layout, Layout) else load_layout(layout)
    source = open_source(path, layout.dialect)
    names = source.names()
    layout = layout.without(layout.columns() - frozenset(names), names)
    source_id = layout.source_id(await asyncio.to_thread(digest_of, path))
    report = LoadReport(str(path), layout.name, tenant, source_id)
    listed = rejects or (rejects_folder or path.parent) / _rejects_name(path, tenant, source_id)
    async with (
        connection(database_url) as session,
        await Lock.on(database_url, name="quorum-load") as lock,
    ):
        # A connection holds the lock: it is free again the moment this process ends.
        if not await lock.take(_LOCK, f"{tenant} {source_id}"):
            raise LoadBusy("another process is loading this file for this tenant")
        label_source = None if layout.label is None else layout.label.source
        target = LoadTarget(session, tenant, source_id, label_source)
        run = _Run(target, layout, source, path, report, Rejects(listed))
        await run.resume(again)
        await run.load(limit, progress)
    return report


def _rejects_name(path: Path, tenant: str, source_id: str) -> str:
    digest = hashlib.sha256(f"{tenant}\0{source_id}".encode()).hexdigest()[:8]
    return f"{path.name}.{digest}.rejected.csv"


@dataclass
class _Run:
    """One run over one file."""

    target: LoadTarget
    layout: Layout
    source: Source
    path: Path
    report: LoadReport
    rejects: Rejects
    done: int = 0
    reasons: RejectionReasons = field(default_factory=RejectionReasons)

    async def resume(self, again: bool) -> None:
        """Continue where earlier runs stopped, unless the file is loaded again."""
        found = await self.target.progress()
        if found is not None and not again:
            self.done = self.report.resumed_after = found.rows_done
            self.report.bad = found.rows_bad
            self.report.finished = found.finished
        self.rejects.resume(self.done)

    async def load(self, limit: int | None, progress: Progress | None) -> None:
        """Load the rest of the file."""
        started = time.monotonic()
        if not self.report.finished:
            try:
                await self._load_chunks(limit, progress, started)
            finally:
                await self._update_statistics()
        self._measure(started)
        if self.report.bad:
            self.report.rejects = str(self.rejects.path)

    async def _load_chunks(
        self, limit: int | None, progress: Progress | None, started: float
    ) -> None:
        """Store each chunk while the next one is read."""
        chunks = self._checked_chunks(limit)
        following = asyncio.create_task(asyncio.to_thread(next, chunks, None))
        try:
            while (item := await following) is not None:
                following = asyncio.create_task(asyncio.to_thread(next, chunks, None))
                chunk, rows = item
                await self._store(chunk, rows)
                self._measure(started)
                if progress is not None:
                    progress(self.report, chunk.share)
        finally:
            # The thread reads to the end of its chunk whatever happens here.
            await asyncio.gather(following, return_exceptions=True)
        self.report.finished = limit is None or self.done < limit
        await self._write_progress()

    async def _update_statistics(self) -> None:
        """Also after a run that was cut off: the next reads are planned by the statistics."""
        if self.report.loaded or self.report.labels:
            await self.target.update_statistics()

    def _checked_chunks(self, limit: int | None) -> Iterator[tuple[Chunk, CanonicalRows]]:
        joined = read_joined_labels(self.path, self.layout)
        # Of the file's own bytes: row 7 of two files is not the same payment.
        tag = self.report.source[:8]
        first = self.done == 0
        for chunk in self.source.chunks(self.layout.columns(), self.done, limit):
            rows = canonical_rows(chunk, self.layout, tag, joined)
            if first:
                require_readable_columns(chunk, rows, self.layout)
            first = False
            yield chunk, rows

    async def _store(self, chunk: Chunk, rows: CanonicalRows) -> None:
        await self.target.ensure_months(rows.table)
        before, self.done = self.done, chunk.rows_done
        async with self.target.transaction():
            await self.target.begin_chunk()
            resolved = await self._resolve(rows)
            bad = sorted(rows.bad + resolved.bad, key=lambda b: b.row)
            self.rejects.add(bad)
            loaded, labels = await self.target.insert(resolved)
            self.report.bad += rows.n_bad + len(resolved.bad)
            await self._write_progress()
        self.reasons.add(bad)
        report = self.report
        report.rows += self.done - before
        report.loaded += loaded
        report.already_there += resolved.table.num_rows - loaded
        report.labels += labels
        report.reasons = self.reasons.as_list()
        for why, n in rows.left_out.items():
            report.labels_left_out[why] = report.labels_left_out.get(why, 0) + n
        report.add_reused(resolved.reused)

    async def _resolve(self, rows: CanonicalRows) -> ResolvedRows:
        resolver = IdentityResolver(rows.table, rows.rows, rows.lines, self.layout.repeated)
        derived = resolver.add_recorded(await self.target.payments(resolver.ids))
        repeated = resolver.repeated_ids
        if not repeated:
            return resolver.resolve({}, {})
        on_record = await self.target.payments(derived) if derived else {}
        return resolver.resolve(on_record, await self.target.labels([*repeated, *derived]))

    async def _write_progress(self) -> None:
        report = self.report
        await self.target.write_progress(RowsDone(self.done, report.bad, report.finished))

    def _measure(self, started: float) -> None:
        self.report.seconds = round(time.monotonic() - started, 3)
        self.report.rows_per_s = round(self.report.rows / max(self.report.seconds, 1e-3), 1)
