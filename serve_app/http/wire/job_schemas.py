"""Jobs of bulk scoring on the wire; see `bulk.jobs.job`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct, convert

from bulk.jobs.job import Job
from bulk.jobs.options import MAX_MODELS
from bulk.jobs.state import JobState
from serve_app.gateway.jobs.jobs import progress
from serve_app.http.wire.match_schemas import MatchOut, Share, match_out
from serve_app.http.wire.texts import PRINTABLE, STORABLE

MAX_SOURCE_CHARS: Final = 2048

StateName = Annotated[
    str,
    Meta(
        description="`waiting` for a confirmation, `queued`, `reading` the file, `scoring`, "
        "`finishing`; ended: `done`, `refused`, `failed`, `cancelled`",
        extra_json_schema={"enum": [state.value for state in JobState]},
    ),
]
Name = Annotated[str, Meta(extra_json_schema=STORABLE)]
Names = dict[Name, Name]
Details = Annotated[
    dict[str, Any],
    Meta(extra_json_schema={"additionalProperties": True}),
]


class JobOptionsIn(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a caller may choose; every option has a default."""

    models: Annotated[
        int, Meta(ge=1, le=MAX_MODELS, description="most models that score, the best matches")
    ] = 3
    model: Annotated[
        list[Name],
        Meta(
            max_length=MAX_MODELS,
            description="reference models, `name` or `name@version`, to use in any case",
        ),
    ] = []
    columns: Annotated[
        Names,
        Meta(
            description="column of the file -> column of the reference model, where you know "
            "better; empty: leave the column out"
        ),
    ] = {}
    convert: Annotated[
        Names,
        Meta(description="column of the file -> code of a proposed conversion that you confirm"),
    ] = {}
    ignore: Annotated[
        list[Name], Meta(description="columns of the file to leave alone, such as an old label")
    ] = []
    high: Annotated[
        float, Meta(gt=0, lt=1, description="probability from which the risk level is high")
    ] = 0.5
    medium: Annotated[
        float, Meta(gt=0, lt=1, description="probability from which it is medium; below `high`")
    ] = 0.1
    review: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="levels by rank instead: so many riskiest rows are high"),
    ] = None
    recalibrate: Annotated[
        Literal["auto", "never"],
        Meta(description="adjust probabilities to the file's own rate of fraud, if it is safe"),
    ] = "auto"
    confirm: Annotated[
        bool, Meta(description="start at once if nothing is left to confirm; else wait")
    ] = True
    format: Annotated[Literal["csv", "parquet"], Meta(description="of the result")] = "csv"
    dialect: Annotated[
        Details,
        Meta(description="of a CSV file where guessing fails: `delimiter`, `encoding`, `decimal`"),
    ] = {}


class JobFormIn(Struct, kw_only=True, gc=False):
    """An upload. Instead of `options`, each option may be a field of its own."""

    file: Annotated[
        str,
        Meta(
            description="CSV, TSV, Parquet or a workbook; the first two perhaps as gzip. Its name "
            "is noted only",
            extra_json_schema={"format": "binary"},
        ),
    ]
    options: Annotated[str, Meta(description="`JobOptionsIn` as JSON")] = "{}"


class JobSourceIn(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A file that is not uploaded."""

    source: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_SOURCE_CHARS,
            description="a path of the server or an `s3://` URL; the operator allows folders and "
            "prefixes (`QUORUM_JOB_SOURCES`)",
            extra_json_schema=PRINTABLE,
        ),
    ]
    options: JobOptionsIn = JobOptionsIn()


class ConfirmationIn(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Options that replace the job's; with any, the file is matched again."""

    options: JobOptionsIn = JobOptionsIn()


class JobProblemOut(Struct, gc=False):
    """Why a job was refused or has failed."""

    code: Annotated[str, Meta(description="stable, for machines")]
    detail: str


class JobOut(Struct, kw_only=True, gc=False):
    """A job."""

    job_id: UUID
    state: StateName
    file_name: Annotated[str, Meta(description="as it was sent")]
    source: Annotated[str, Meta(description="`upload`, or where the file was read")]
    bytes: Annotated[int, Meta(ge=0, description="size of the file")]
    options: JobOptionsIn
    rows_total: Annotated[int | None, Meta(description="null: the file is not read yet")]
    rows_done: Annotated[int, Meta(ge=0, description="rows with scores")]
    rows_failed: Annotated[int, Meta(ge=0, description="rows that could not be read")]
    progress: Annotated[Share | None, Meta(description="share of the rows that are done or failed")]
    rows_per_s: Annotated[float | None, Meta(description="speed of the running phase")]
    seconds_left: Annotated[float | None, Meta(description="at this speed")]
    to_confirm: Annotated[
        list[str],
        Meta(description="columns of the file with a proposed conversion that was not confirmed"),
    ]
    match: Annotated[
        MatchOut | None, Meta(description="the file against the models; null in lists")
    ]
    problem: Annotated[JobProblemOut | None, Meta(description="null: there is none")]
    cancelling: Annotated[bool, Meta(description="it was cancelled, and will stop soon")]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: Annotated[
        datetime | None, Meta(description="its files are removed then; null: not known yet")
    ]


class JobsOut(Struct, kw_only=True, gc=False):
    """A page of jobs, the newest first."""

    jobs: list[JobOut]
    next_before: Annotated[
        UUID | None, Meta(description="`before` of the next page; null: the last page")
    ]


class MatchedOut(Struct, kw_only=True, gc=False):
    """What a job would do with a file. Nothing of it is kept."""

    file_name: str
    bytes: Annotated[int, Meta(ge=0)]
    to_confirm: Annotated[
        list[str], Meta(description="columns for which the job would wait for a confirmation")
    ]
    match: MatchOut


class StatsOut(Struct, kw_only=True, gc=False):
    """Counts of rows."""

    total: Annotated[int, Meta(ge=0, description="rows in the result")]
    scored: Annotated[int, Meta(ge=0, description="rows with a probability")]
    frauds: Annotated[int, Meta(ge=0, description="rows with the prediction `fraud`")]
    fraud_rate: Annotated[float | None, Meta(description="frauds / scored; null without rows")]
    high_risk: Annotated[int, Meta(ge=0)]
    medium_risk: Annotated[int, Meta(ge=0)]
    low_risk: Annotated[int, Meta(ge=0)]


class SummaryOut(Struct, kw_only=True, gc=False):
    """What a finished job found."""

    job_id: UUID
    stats: StatsOut
    methods_used: Annotated[
        list[str],
        Meta(
            description="`supervised` or `supervised-ensemble`, `isolation-forest`, `label-shift`"
        ),
    ]
    best_model: Annotated[str, Meta(description="the reference model that fits best")]
    similarity_score: Annotated[float, Meta(ge=0, le=1, description="how well it fits")]
    download_url: Annotated[str, Meta(description="path of the result")]
    errors_url: Annotated[str, Meta(description="path of the rows that could not be read")]
    details: Annotated[
        Details,
        Meta(
            description="more: levels, quantiles and histogram of probabilities, estimated fraud "
            "rate, each model, drift of columns, most unusual rows"
        ),
    ]


def job_out(job: Job) -> JobOut:
    """Return a job as it is sent."""
    share, seconds = progress(job)
    problem = job.problem or None
    return JobOut(
        job_id=job.job_id,
        state=job.state.value,
        file_name=job.file_name,
        source=job.source,
        bytes=job.bytes,
        options=convert(job.options.model_dump(mode="json"), JobOptionsIn),
        rows_total=job.rows_total,
        rows_done=job.rows_done,
        rows_failed=job.rows_failed,
        progress=share,
        rows_per_s=job.rows_per_s,
        seconds_left=seconds,
        to_confirm=[] if job.match is None else list(job.match.unconfirmed),
        match=None if job.match is None else match_out(job.match),
        problem=problem and JobProblemOut(str(problem.get("code")), str(problem.get("detail"))),
        cancelling=job.cancel and job.finished_at is None,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
    )


def matched_out(job: Job) -> MatchedOut:
    """Return what a job would do."""
    assert job.match is not None
    return MatchedOut(
        file_name=job.file_name,
        bytes=job.bytes,
        to_confirm=list(job.match.unconfirmed),
        match=match_out(job.match),
    )


SHORT = ("stats", "methods_used", "best_model", "similarity_score")
"""Fields of the summary that a short answer has."""


def summary_out(job: Job, path: str) -> SummaryOut:
    """Return the summary of a job that is done.

    Args:
        path: of the job.
    """
    short = {name: job.summary[name] for name in SHORT}
    return convert(
        {
            **short,
            "job_id": job.job_id,
            "download_url": f"{path}/result",
            "errors_url": f"{path}/errors.csv",
            "details": {name: v for name, v in job.summary.items() if name not in SHORT},
        },
        SummaryOut,
    )
