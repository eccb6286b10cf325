"""A job as the table holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from references.matching.match import Match


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        job_id: UUID of version 7.
        tenant: whose job it is; no other tenant learns that it exists.
        file_name: as the caller gave it; shown, never used as a path.
        source: where the file is: `upload`, a server-side path or an `s3://` URL.
        storage: identity of the job store that holds its files.
        state, options, match: see their types; `match` is None before matching.
        bytes: size of the file.
        rows_total: None until the file is read; rows_done, rows_failed: rows with a result, and
            rows that could not be read.
        summary: of a job that is done; {} before.
        problem: why it was refused or failed: `code`, `detail`, and what more is known; {} if not.
        attempts: times a runner has begun to work on it.
        cancel: the caller wants it to stop.
        author: id of the key that submitted it; "" if unknown.
        has_files: its files are not removed yet.
        created_at ... expires_at: moments, None if not yet. At `expires_at` its files are removed.
        rows_per_s: the speed of the running phase; None if unknown.
    """

    job_id: UUID
    tenant: str
    file_name: str
    source: str
    storage: str
    state: JobState
    options: JobOptions
    bytes: int
    created_at: datetime
    match: Match | None = None
    rows_total: int | None = None
    rows_done: int = 0
    rows_failed: int = 0
    summary: dict[str, Any] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    cancel: bool = False
    author: str = ""
    has_files: bool = True
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    rows_per_s: float | None = None
