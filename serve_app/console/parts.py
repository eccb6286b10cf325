"""The parts behind the pages, passed in so that pages run without Ray and without stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from starlette.requests import Request

from bulk.jobs.job import Job
from bulk.jobs.options import JobOptions
from serve_app.gateway.auth import Principal

Authenticate = Callable[[str], Awaitable[Principal]]
"""API key -> its owner; raises Unauthenticated or StoreUnavailable."""

Format = Literal["csv", "parquet"]


class Paths(Protocol):
    """The files of a draft."""

    @property
    def upload(self) -> Path: ...


class Draft(Protocol):
    """A job before it is submitted."""

    @property
    def paths(self) -> Paths: ...


class Download(Protocol):
    """A file of a job."""

    job: Job
    format: Format
    path: Path
    chunks: Callable[[], Iterator[bytes]] | None


class Jobs(Protocol):
    """What the pages need of `serve_app.gateway.jobs.Jobs`."""

    def draft(
        self, principal: Principal, announced_bytes: int = 0
    ) -> AbstractAsyncContextManager[Any]: ...
    async def submit(self, draft: Any, file_name: str, options: JobOptions) -> Job: ...
    async def get(self, tenant: str, job_id: UUID) -> Job: ...
    async def list(
        self, tenant: str, limit: int = 50, before: UUID | None = None
    ) -> Sequence[Job]: ...
    async def confirm(self, tenant: str, job_id: UUID, changes: Mapping[str, Any]) -> Job: ...
    async def cancel(self, tenant: str, job_id: UUID) -> Job: ...
    async def result(self, tenant: str, job_id: UUID, format: Format | None = None) -> Any: ...
    async def errors(self, tenant: str, job_id: UUID) -> Any: ...


@dataclass(frozen=True, slots=True)
class Form:
    """A form that came with a file.

    Attributes:
        fields: name -> value of the other fields; the last of a repeated name.
        file_name: as the browser gave it; "" if no file was chosen.
    """

    fields: Mapping[str, str]
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts behind the pages.

    Attributes:
        authenticate: returns the owner of an API key, or raises.
        jobs: the jobs of all tenants.
        receive: reads a form and writes its file to a path; raises HttpProblem or InvalidInput.
        pepper: the secret that tokens of forms depend on.
        max_upload_bytes: size of the largest file.
    """

    authenticate: Authenticate
    jobs: Jobs
    receive: Callable[[Request, Path], Awaitable[Form]]
    pepper: str
    max_upload_bytes: int
