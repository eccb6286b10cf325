"""The app of bulk scoring without Ray, PostgreSQL and models: the table is in memory, the files are
in a folder, and a test says what matching finds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.jobs.state import ENDED, JobState
from bulk.jobs.store import JobStore
from fraud.access.keys import ApiKey, hash_key
from fraud.access.scopes import ALL_SCOPES, Scope
from fraud.errors import Conflict, NotFound
from references.matching.match import ColumnMatch, Conversion, Match, ModelMatch, Reason
from serve_app.gateway.auth import Authenticator, KeyRecord
from serve_app.gateway.errors import TooManyJobs
from serve_app.gateway.jobs.jobs import Jobs
from serve_app.gateway.jobs.room import JobLimits
from serve_app.http.jobs_app import JobsApp
from serve_app.http.services import JobServices, RequestLimits
from tests.contracts.front import KEY, NOW_MS, PEPPER

OTHER_KEY = ApiKey("abcdefghijkn", "o" * 43)
"""A key of another tenant."""
CSV = b"montant,pays\n12.50,FR\n7.00,DE\n"
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
CENTS = Conversion("minor-to-major", 0.01, "The numbers are a hundred times larger.")


def match_of(*, fits: bool = True, proposed: Conversion | None = None) -> Match:
    """Return the match of a file with one reference."""
    reasons = () if fits else (Reason("low-similarity", "Too little matched.", "", "more columns"),)
    column = ColumnMatch("amount", "montant", 0.9, 0.8, 0.95, 0.6, True, "", proposed)
    model = ModelMatch(
        "cards@9c1f02ab77de", 0.9, 0.95, 0.94, 0.6, (column,), ("pays",), reasons, 1.0 * fits
    )
    return Match((model,), (model.reference,) if fits else (), reasons, 2)


class FakeTable:
    """The table of jobs in memory; raises `error` if there is one."""

    def __init__(self, most_open: int) -> None:
        self.jobs: dict[UUID, Job] = {}
        self.most_open = most_open
        self.error: Exception | None = None

    async def add(self, job: Job) -> Job:
        await self.require_room(job.tenant, 0)
        self.jobs[job.job_id] = replace(job, expires_at=NOW + timedelta(days=7))
        return self.jobs[job.job_id]

    async def require_room(self, tenant: str, drafts: int) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        mine = [job for job in self.jobs.values() if job.tenant == tenant]
        if len([job for job in mine if job.state not in ENDED]) + drafts >= self.most_open:
            raise TooManyJobs(self.most_open, 30.0)

    async def find(self, tenant: str, job_id: UUID) -> Job:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        job = self.jobs.get(job_id)
        if job is None or job.tenant != tenant:
            raise NotFound("there is no such job")
        return job

    async def newest(self, tenant: str, limit: int, before: UUID | None) -> list[Job]:
        found = sorted(
            (job for job in self.jobs.values() if job.tenant == tenant),
            key=lambda job: job.job_id,
            reverse=True,
        )
        older = [job for job in found if before is None or job.job_id < before]
        return [replace(job, match=None, summary={}) for job in older[:limit]]

    async def confirm(self, tenant: str, job_id: UUID, options: JobOptions, match: Match) -> Job:
        job = await self.find(tenant, job_id)
        if job.state is not JobState.WAITING:
            raise Conflict(f"the job does not wait for a confirmation: it is {job.state}")
        return self.change(job_id, state=JobState.QUEUED, options=options, match=match)

    async def cancel(self, tenant: str, job_id: UUID) -> Job:
        job = await self.find(tenant, job_id)
        if job.state in ENDED:
            return job
        return self.change(job_id, cancel=True)

    def change(self, job_id: UUID, **fields: Any) -> Job:
        """Change a job as a runner would."""
        self.jobs[job_id] = replace(self.jobs[job_id], **fields)
        return self.jobs[job_id]


class JobFront:
    """A JobsApp with everything behind it in memory and in a folder, and clients for it.

    Attributes:
        match: what the next examination finds; an error is raised.
        examined: (tenant, file name, options, content of the upload).
        matched_again: the options of matches without the upload.
        fetched: (source, most bytes) of files that were not uploaded.
        woken: how often the runners were told of a job.
    """

    def __init__(self, folder: Path, *, most_open: int = 3, **limits: Any) -> None:
        self.folder = folder / "jobs"
        self.store = JobStore(self.folder)
        self.table = FakeTable(most_open)
        self.match: Match | Exception = match_of()
        self.examined: list[tuple[str, str, JobOptions, bytes]] = []
        self.matched_again: list[JobOptions] = []
        self.fetched: list[tuple[str, int]] = []
        self.woken = 0
        self.keys = {
            key.key_id: KeyRecord(
                key.key_id, tenant, "standard", ALL_SCOPES, hash_key(PEPPER, key), None, None
            )
            for key, tenant in ((KEY, "acme"), (OTHER_KEY, "rival"))
        }
        ids = count(1)
        self.jobs = Jobs(
            self.table,
            self.store,
            self,
            self.fetch,
            JobLimits(**{"reserve_bytes": 0, **limits}),
            storage="here",
            wake=self.wake,
            new_id=lambda: UUID(f"019caa6a-f000-7c11-9d0e-{next(ids):012x}"),
            now=lambda: NOW,
            csv_chunks=csv_text,
            error_chunks=csv_text,
        )
        self.services = JobServices(
            authenticate=Authenticator(self.find_key, PEPPER).authenticate,
            limits=RequestLimits(),
            jobs=self.jobs,
        )
        self.app = JobsApp(self.services)

    async def examine(
        self, tenant: str, paths: JobPaths, file_name: str, options: JobOptions
    ) -> Match:
        """Read the upload, as an examiner does."""
        await asyncio.sleep(0)
        self.examined.append((tenant, file_name, options, paths.upload.read_bytes()))
        paths.sample.write_bytes(b"sample")
        return self._found()

    async def match_again(self, tenant: str, paths: JobPaths, options: JobOptions) -> Match:
        """Match what was examined before."""
        await asyncio.sleep(0)
        assert paths.sample.exists()
        self.matched_again.append(options)
        return self._found()

    def _found(self) -> Match:
        if isinstance(self.match, Exception):
            raise self.match
        return self.match

    def fetch(self, source: str, path: Path, max_bytes: int) -> None:
        """Copy a file of the server: every source has the same content."""
        self.fetched.append((source, max_bytes))
        path.write_bytes(CSV)

    async def find_key(self, key_id: str) -> KeyRecord | None:
        await asyncio.sleep(0)
        return self.keys.get(key_id)

    def grant(self, *scopes: Scope) -> None:
        """Let `KEY` have these scopes alone; before its first use, as keys are cached."""
        self.keys[KEY.key_id] = replace(self.keys[KEY.key_id], scopes=scopes)

    async def wake(self) -> None:
        self.woken += 1

    def client(self, key: ApiKey | None = KEY) -> httpx.AsyncClient:
        """Return a client with a key."""
        headers = {} if key is None else {"x-api-key": str(key)}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://front", headers=headers
        )

    def files(self) -> list[str]:
        """Return every file and folder of every job."""
        found = self.folder.rglob("*") if self.folder.exists() else ()
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def finish(self, job_id: UUID, **fields: Any) -> Job:
        """Have a job done, with a result of two rows."""
        paths = self.store.make(job_id)
        table = pa.table({"montant": ["12.50", "7.00"], "quorum_probability": [0.9, 0.01]})
        pq.write_table(table, paths.result)
        pq.write_table(pa.table({"line": [4], "reason": ["cells"]}), paths.errors)
        done = {"state": JobState.DONE, "rows_total": 2, "rows_done": 2, "summary": SUMMARY}
        return self.table.change(job_id, **{**done, **fields})


def csv_text(path: Path) -> Iterator[bytes]:
    """Yield a Parquet file as CSV, a row at a time."""
    table = pq.read_table(path)
    yield ",".join(table.column_names).encode() + b"\n"
    for row in table.to_pylist():
        yield ",".join(str(cell) for cell in row.values()).encode() + b"\n"


SUMMARY: dict[str, Any] = {
    "stats": {
        "total": 2,
        "scored": 2,
        "frauds": 1,
        "fraud_rate": 0.5,
        "high_risk": 1,
        "medium_risk": 0,
        "low_risk": 1,
    },
    "methods_used": ["supervised", "isolation-forest"],
    "best_model": "cards@9c1f02ab77de",
    "similarity_score": 0.9,
    "levels": {"high": 1, "medium": 0, "low": 1, "unscored": 0},
}
