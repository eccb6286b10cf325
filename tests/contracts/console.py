"""The console without Ray and stores: jobs and files are in memory and in a folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
from starlette.requests import Request

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from bulk.jobs.state import ENDED, JobState
from fraud.access.keys import ApiKey, hash_key
from fraud.errors import Conflict, NotFound
from references.matching.match import Match
from serve_app.console.parts import Parts, Sent
from serve_app.console.session import form_token
from serve_app.console.site import Site
from serve_app.gateway.auth import Authenticator, KeyRecord
from serve_app.gateway.jobs import JobLimits, Jobs
from serve_app.http.reading.form import Form, boundary_of
from tests.contracts.console_jobs import NOW, bad_match, good_match

HOST = "http://console.test"
OWN = {"origin": HOST, "accept": "text/html"}
"""Headers that a browser sends with our own pages' forms."""


class Table:
    """Jobs in memory."""

    def __init__(self) -> None:
        self.jobs: dict[UUID, Job] = {}

    async def add(self, job: Job) -> Job:
        self.jobs[job.job_id] = job
        return job

    async def find(self, tenant: str, job_id: UUID) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.tenant != tenant:
            raise NotFound("no such job")
        return job

    async def newest(self, tenant: str, limit: int, before: UUID | None) -> list[Job]:
        return [job for job in reversed(self.jobs.values()) if job.tenant == tenant][:limit]

    async def require_room(self, tenant: str, drafts: int) -> None:
        return None

    async def confirm(self, tenant: str, job_id: UUID, options: JobOptions, match: Match) -> Job:
        job = await self.find(tenant, job_id)
        if job.state is not JobState.WAITING:
            raise Conflict("it does not wait")
        return self.change(job_id, state=JobState.QUEUED, options=options, match=match)

    async def cancel(self, tenant: str, job_id: UUID) -> Job:
        job = await self.find(tenant, job_id)
        return job if job.state in ENDED else self.change(job_id, state=JobState.CANCELLED)

    def change(self, job_id: UUID, **changes: object) -> Job:
        """Replace attributes of a job."""
        self.jobs[job_id] = replace(self.jobs[job_id], **changes)  # type: ignore[arg-type]
        return self.jobs[job_id]


class Files:
    """Files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self, job_id: UUID) -> JobPaths:
        return JobPaths(self.folder / str(job_id))

    def make(self, job_id: UUID) -> JobPaths:
        paths = self.paths(job_id)
        paths.folder.mkdir()
        return paths

    def keep(self, job_id: UUID, *files: Path) -> None:
        return None

    def bring(self, job_id: UUID, *files: Path) -> bool:
        return all(path.exists() for path in files)

    def left(self) -> list[str]:
        """Return what is in the folder."""
        return [path.name for path in self.folder.iterdir()]

    def remove(self, job_id: UUID) -> None:
        paths = self.paths(job_id)
        paths.upload.unlink(missing_ok=True)
        paths.folder.rmdir()


class Console:
    """The console of tenants `acme` and `globex`.

    Attributes:
        key, other_key, poor_key: of `acme`, of `globex`, and one without the scope `jobs`.
        examined: (file name, content, options) of each file that was matched.
        match: what the next file's match is.
        site: the ASGI app.
    """

    PEPPER = "pepper"

    def __init__(self, folder: Path, most_bytes: int = 5 << 30) -> None:
        self.key = ApiKey("abcdefghijkm", "s" * 43)
        self.other_key = ApiKey("mkjihgfedcba", "o" * 43)
        self.poor_key = ApiKey("pppppppppppp", "p" * 43)
        self.table = Table()
        self.files = Files(folder)
        self.examined: list[tuple[str, bytes, JobOptions]] = []
        self.match = good_match()
        self.revoked: set[str] = set()
        self.down = False
        ids = itertools.count(1000)
        self.jobs = Jobs(
            self.table,
            self.files,
            self._examine,
            JobLimits(upload_bytes=most_bytes, reserve_bytes=0),
            storage="disk",
            wake=self._wake,
            new_id=lambda: UUID(f"019caa6a-f000-7c11-9d0e-{next(ids):012x}"),
            now=lambda: NOW,
            csv_chunks=_csv,
            error_chunks=_csv,
        )
        authenticator = Authenticator(self._find_key, self.PEPPER)
        self.site = Site(
            Parts(
                authenticate=authenticator.authenticate,
                jobs=self.jobs,
                receive=receive,
                pepper=self.PEPPER,
            )
        )
        self.woken = 0

    @property
    def token(self) -> str:
        """The token of `acme`'s forms."""
        return form_token(self.PEPPER, str(self.key))

    def client(self, key: ApiKey | None = None) -> httpx.AsyncClient:
        """Return a browser without scripts, signed in with a key."""
        cookies = {} if key is None else {"quorum-key": str(key)}
        transport = httpx.ASGITransport(self.site)
        return httpx.AsyncClient(transport=transport, base_url=HOST, cookies=cookies, headers=OWN)

    async def _find_key(self, key_id: str) -> KeyRecord | None:
        if self.down:
            raise OSError("PostgreSQL is away")
        for key, tenant, scopes in (
            (self.key, "acme", ["jobs"]),
            (self.other_key, "globex", ["admin"]),
            (self.poor_key, "acme", ["decide", "read"]),
        ):
            if key.key_id == key_id:
                revoked = NOW if key_id in self.revoked else None
                hashed = hash_key(self.PEPPER, key)
                return KeyRecord(key_id, tenant, "standard", scopes, hashed, None, revoked)
        return None

    async def _examine(
        self, tenant: str, paths: JobPaths, source: str, file_name: str, options: JobOptions
    ) -> tuple[Match, int]:
        content = paths.upload.read_bytes()
        self.examined.append((file_name, content, options))
        if b"gibberish" in content:
            return bad_match(), len(content)
        return self.match, len(content)

    async def _wake(self) -> None:
        self.woken += 1


async def receive(request: Request, path: Path) -> Sent:
    """Read a form with a file."""
    form = Form(boundary_of(request.headers.get("content-type", "").encode()))
    with path.open("wb") as file:
        async for chunk in request.stream():
            file.write(form.feed(chunk))
    form.end()
    return Sent(dict(form.fields), form.file_name or "")


def _csv(path: Path) -> Iterator[bytes]:
    yield b"a,b\r\n"
    yield path.read_bytes()
