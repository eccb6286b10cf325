"""Jobs of bulk scoring as a caller sees them: submit a file, follow its job, fetch the result.

Knows neither HTTP nor Ray. The caller of `draft` gets a private folder and puts the file there;
what was not submitted when the draft ends is removed. Opening and matching a file take seconds of
processor time, so that an examiner does it outside of this process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from bulk.engine.submission import Examiner
from bulk.engine.workers.executor import WorkerLost
from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.jobs.state import ENDED, JobState
from bulk.jobs.store import JobStore
from fraud.errors import Conflict, InvalidInput, NotFound, Overloaded, Unavailable
from references.matching.match import Match
from serve_app.gateway.auth import Principal
from serve_app.gateway.errors import CallerGone, MatchRefused
from serve_app.gateway.jobs.options import POINTER, changed_options
from serve_app.gateway.jobs.records import JobRecords
from serve_app.gateway.jobs.room import Fetch, JobLimits, JobRoom

UPLOAD: Final = "upload"
"""`Job.source` of a file that was uploaded."""

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 200
MAX_FILE_NAME_CHARS: Final = 255
RETRY_LOST_S: Final = 30.0

Format = Literal["csv", "parquet"]


@dataclass(slots=True)
class Draft:
    """A job before it is submitted.

    Attributes:
        job_id: of the job to come.
        principal: the caller.
        paths: the job's files; `paths.upload` is where the uploaded file belongs.
        has_left: whether the caller is known to have gone: nobody then learns of the job.
        is_kept: it became a job, which owns the folder now.
    """

    job_id: UUID
    principal: Principal
    paths: JobPaths
    has_left: Callable[[], bool]
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a job that a caller may fetch.

    Attributes:
        job: whose file it is.
        format: of the file that is sent.
        path: the file on this machine, in Parquet.
        chunks: the file as it is sent, made while it is read; None: `path` as it is.
        hold: a place among the downloads, held while it is sent; raises Overloaded.
    """

    job: Job
    format: Format
    path: Path
    chunks: Callable[[], Iterator[bytes]] | None = None
    hold: Callable[[], AbstractContextManager[None]] = nullcontext


class Jobs:
    """The jobs of all tenants. Each method sees one tenant's only.

    Args:
        table: the table of jobs.
        files: the files of jobs.
        examiner: opens, samples and matches files, outside of this process.
        fetch: copies files that are not uploaded.
        limits: what may be submitted.
        storage: identity of the store that holds the files.
        wake: tells the runners that a job is queued; must not raise.
        new_id: returns a UUID of version 7.
        now: returns the time, with a time zone.
        csv_chunks: path of a Parquet file -> its text as formula-safe CSV.
        error_chunks: path of `JobPaths.errors` -> its text as CSV.
    """

    def __init__(
        self,
        table: JobRecords,
        files: JobStore,
        examiner: Examiner,
        fetch: Fetch,
        limits: JobLimits,
        *,
        storage: str,
        wake: Callable[[], Awaitable[None]],
        new_id: Callable[[], UUID],
        now: Callable[[], datetime],
        csv_chunks: Callable[[Path], Iterator[bytes]],
        error_chunks: Callable[[Path], Iterator[bytes]],
    ) -> None:
        self.limits = limits
        self.room = JobRoom(limits, fetch)
        self._table = table
        self._files = files
        self._examiner = examiner
        self._storage = storage
        self._wake = wake
        self._new_id = new_id
        self._now = now
        self._csv_chunks = csv_chunks
        self._error_chunks = error_chunks
        self._drafts: Counter[str] = Counter()
        self._matched: set[UUID] = set()

    @asynccontextmanager
    async def draft(
        self,
        principal: Principal,
        announced_bytes: int = 0,
        has_left: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator[Draft]:
        """Open the folder of a new job; remove it in the end unless the job was submitted.

        Args:
            announced_bytes: size of the file, as far as it is known.
            has_left: see `Draft`.

        Raises:
            TooManyJobs: the tenant has too many jobs that have not ended.
            Overloaded: the disk is nearly full, or too many files are taken in.
            StoreUnavailable: PostgreSQL does not answer.
        """
        with self.room.place(), self._counted(principal.tenant) as others:
            await self._table.require_room(principal.tenant, others)
            job_id = self._new_id()
            draft = Draft(job_id, principal, self._files.paths(job_id), has_left)
            try:
                await asyncio.to_thread(self._files.make, job_id)
                await self.room.require_space(draft.paths.folder, announced_bytes)
                yield draft
            finally:
                if not draft.is_kept:
                    # Shielded: a caller that leaves must not leave a folder behind.
                    await asyncio.shield(asyncio.to_thread(self._files.remove, job_id))

    @contextmanager
    def _counted(self, tenant: str) -> Iterator[int]:
        """Count a draft of a tenant while it lasts. Yields how many others there are."""
        self._drafts[tenant] += 1
        try:
            yield self._drafts[tenant] - 1
        finally:
            self._drafts[tenant] -= 1
            self._drafts += Counter()  # without those of nothing

    async def submit(
        self,
        draft: Draft,
        file_name: str,
        options: JobOptions,
        source: str = UPLOAD,
        dry_run: bool = False,
    ) -> Job:
        """Match the file of a draft against the tenant's references, and make it a job.

        A job starts at once if `options.confirm` is set and the match leaves nothing to confirm;
        else it waits.

        Args:
            file_name: as the caller gave it; noted, never used as a path.
            source: `UPLOAD`, a server-side path or an `s3://` URL.
            dry_run: only match; the job that is returned is not stored.

        Raises:
            FileRefused, InvalidInput: the file or an option is wrong.
            MatchRefused: nothing fits the file; holds the match.
            TooManyJobs, Overloaded, Unavailable: not now.
            CallerGone: the caller left while the file was matched.
        """
        tenant, paths = draft.principal.tenant, draft.paths
        name = _plain_name(file_name)
        if source != UPLOAD:
            await self.room.fetch(source, paths.upload)
        with _examining():
            match = await self._examiner.examine(tenant, paths, name, options)
        if match.refused:
            raise MatchRefused(match)
        starts = options.confirm and not match.unconfirmed
        size = (await asyncio.to_thread(paths.upload.stat)).st_size
        job = Job(
            job_id=draft.job_id,
            tenant=tenant,
            file_name=name,
            source=source,
            storage=self._storage,
            state=JobState.QUEUED if starts else JobState.WAITING,
            options=options,
            bytes=size,
            created_at=self._now(),
            match=match,
            author=draft.principal.key_id,
        )
        if dry_run:
            return job
        if draft.has_left():
            raise CallerGone
        await asyncio.to_thread(self._files.keep, draft.job_id, *_examined(paths))
        job = await self._table.add(job)
        draft.is_kept = True
        if starts:
            await self._wake()
        return job

    async def get(self, tenant: str, job_id: UUID) -> Job:
        """Return a job.

        Raises:
            NotFound: there is none, or it is another tenant's.
        """
        return await self._table.find(tenant, job_id)

    async def list(
        self, tenant: str, limit: int = DEFAULT_PAGE, before: UUID | None = None
    ) -> Sequence[Job]:
        """Return a tenant's jobs, the newest first.

        Args:
            limit: most jobs, 1 to `MAX_PAGE`.
            before: only jobs that are older than this one.
        """
        return await self._table.newest(tenant, limit, before)

    async def confirm(self, tenant: str, job_id: UUID, changes: Mapping[str, Any]) -> Job:
        """Start a job that waits.

        Args:
            changes: options that replace the job's own; if there are any, the file is matched
                again.

        Raises:
            NotFound: see `get`.
            Conflict: the job does not wait, or is being matched.
            InvalidInput: an option is wrong.
            MatchRefused: with these options nothing fits; the job goes on waiting.
            Overloaded, Unavailable: not now.
        """
        job = await self.get(tenant, job_id)
        if job.state is not JobState.WAITING or job.match is None:
            raise Conflict(f"the job is {job.state}: there is nothing to confirm")
        options = changed_options(job.options, changes)
        match = job.match
        if options != job.options:
            match = await self._matched_again(job, options)
            if match.refused:
                raise MatchRefused(match)
        queued = await self._table.confirm(tenant, job_id, options, match)
        await self._wake()
        return queued

    async def cancel(self, tenant: str, job_id: UUID) -> Job:
        """Ask a job to stop. One that has ended stays as it is.

        Raises:
            NotFound: see `get`.
        """
        return await self._table.cancel(tenant, job_id)

    async def result(self, tenant: str, job_id: UUID, format: Format | None = None) -> Download:
        """Return the result of a job.

        Args:
            format: None: the one that the job's options name.

        Raises:
            NotFound: see `get`; also if its files were removed.
            Conflict: the job is not done.
        """
        job = await self.get(tenant, job_id)
        _require_done(job)
        path = await self._here(job, self._files.paths(job_id).result)
        wanted = format or job.options.format
        chunks = None if wanted == "parquet" else partial(self._csv_chunks, path)
        return Download(job, wanted, path, chunks, partial(self.room.download, tenant))

    async def errors(self, tenant: str, job_id: UUID) -> Download:
        """Return the rows that could not be read, as CSV.

        Raises:
            NotFound: see `get`; also if its files were removed.
            Conflict: the file has not been read yet.
        """
        job = await self.get(tenant, job_id)
        if job.state in (JobState.WAITING, JobState.QUEUED, JobState.READING):
            raise Conflict(f"the job is {job.state}: its file has not been read as a whole")
        path = await self._here(job, self._files.paths(job_id).errors)
        chunks = partial(self._error_chunks, path)
        return Download(job, "csv", path, chunks, partial(self.room.download, tenant))

    async def summary(self, tenant: str, job_id: UUID) -> Job:
        """Return a job that is done, with its summary.

        Raises:
            NotFound: see `get`.
            Conflict: the job is not done.
        """
        job = await self.get(tenant, job_id)
        _require_done(job)
        return job

    async def _matched_again(self, job: Job, options: JobOptions) -> Match:
        if job.job_id in self._matched:
            raise Conflict("the job is being matched")
        self._require_here(job)
        with self.room.place():
            self._matched.add(job.job_id)
            try:
                paths = self._files.paths(job.job_id)
                await asyncio.to_thread(self._files.bring, job.job_id, *_examined(paths))
                with _examining():
                    return await self._examiner.match_again(job.tenant, paths, options)
            finally:
                self._matched.discard(job.job_id)

    async def _here(self, job: Job, path: Path) -> Path:
        self._require_here(job)
        if not await asyncio.to_thread(self._files.bring, job.job_id, path):
            raise NotFound("the files of this job were removed")
        return path

    def _require_here(self, job: Job) -> None:
        if job.storage != self._storage:
            raise Unavailable("the files of this job are in another store")


def progress(job: Job) -> tuple[float | None, float | None]:
    """Return the share of a job's rows that are done or could not be read, in [0, 1], and the
    seconds that the rest takes at the present speed; None where that is not known."""
    if job.rows_total is None:
        return None, None
    left = max(0, job.rows_total - job.rows_done - job.rows_failed)
    share = 1 - left / job.rows_total if job.rows_total else 1.0
    if job.state in ENDED or not job.rows_per_s:
        return share, None
    return share, left / job.rows_per_s


@contextmanager
def _examining() -> Iterator[None]:
    """Raise InvalidInput where an option names a reference model that is not there, and Overloaded
    where the process that does the work is lost."""
    try:
        yield
    except WorkerLost:
        detail = "the process that read the file was lost; the file may need too much memory"
        raise Overloaded(detail, retry_after_s=RETRY_LOST_S) from None
    except NotFound:
        detail = "Unknown value for `model`: expected reference models that you may use"
        raise InvalidInput("unknown model", ((f"{POINTER}/model", "unknown", detail),)) from None


def _examined(paths: JobPaths) -> tuple[Path, ...]:
    """Return the files that a job has once it was examined."""
    return paths.upload, paths.sample, paths.profile


def _require_done(job: Job) -> None:
    if job.state is not JobState.DONE:
        raise Conflict(f"the job is {job.state}: there is no result" + _later(job))


def _later(job: Job) -> str:
    return "" if job.state in ENDED else " yet"


def _plain_name(name: str) -> str:
    """Return a file name for display: its last part, without control characters, cut to
    `MAX_FILE_NAME_CHARS`."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(c for c in last if c.isprintable()).strip()
    return shown[:MAX_FILE_NAME_CHARS] or "file"
