"""Jobs: submit a file, look at jobs, confirm, cancel."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bulk.jobs.job import Job
from serve_app.gateway.jobs.jobs import MAX_PAGE, UPLOAD
from serve_app.http.exchange import JSON, Head
from serve_app.http.job_routes import examples
from serve_app.http.reading.form import FORM, boundary_of
from serve_app.http.reading.job_bodies import (
    read_changes,
    read_dry_run,
    read_form_options,
    read_job_id,
    read_json_document,
    read_page,
    read_source,
)
from serve_app.http.route import Answer, Call, Json, Route, answer
from serve_app.http.services import JobServices
from serve_app.http.upload import receive_form
from serve_app.http.wire.job_schemas import (
    ConfirmationIn,
    JobFormIn,
    JobOut,
    JobSourceIn,
    JobsOut,
    MatchedOut,
    job_out,
    matched_out,
)

PATH: Final = "/v1/jobs"
JOB: Final[Json] = {"job_id": {"type": "string", "format": "uuid", "description": "of the job"}}
JobCall = Call[JobServices]


@Route(
    method="POST",
    path=PATH,
    operation_id="submitJob",
    summary="Score a file that nobody labelled",
    description="The file is matched against the reference models that you may use. If one fits, "
    "there is a job, and you follow it at `Location`. If none does, the answer is 422 "
    "`match-refused` with what each model lacks, and nothing is kept. With `dry_run=true` the file "
    "is matched and nothing else happens.",
    tag="jobs",
    scope="jobs",
    parameters={
        "dry_run": {
            "type": "string",
            "enum": ["true", "false"],
            "default": "false",
            "description": "only match",
        }
    },
    form=JobFormIn,
    body=(JobSourceIn,),
    body_example={"source": "s3://payments/march.parquet", "options": {"models": 3}},
    problems=(429,),
    answers={
        200: Answer("The match, with `dry_run=true`", MatchedOut, examples.MATCHED),
        202: Answer(
            "The job: `queued`, or `waiting` for a confirmation",
            JobOut,
            examples.QUEUED,
            headers=("Location",),
        ),
    },
)
async def submit_job(call: JobCall) -> Response:
    """Make a job of an uploaded file or of one that the server reaches."""
    dry_run = read_dry_run(call.request.query_params.multi_items())
    submit = _submit_upload if _is_form(call.head) else _submit_source
    job = await submit(call, dry_run)
    if dry_run:
        return answer(matched_out(job))
    return answer(job_out(job), 202, {"location": f"{PATH}/{job.job_id}"})


@Route(
    method="GET",
    path=PATH,
    operation_id="listJobs",
    summary="Jobs, the newest first",
    tag="jobs",
    scope="jobs",
    parameters={
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 50},
        "before": {
            "type": "string",
            "format": "uuid",
            "description": "`next_before` of the page before",
        },
    },
    problems=(422,),
    answers={
        200: Answer("A page of jobs", JobsOut, {"jobs": [examples.LISTED], "next_before": None})
    },
)
async def list_jobs(call: JobCall) -> JobsOut:
    """List a tenant's jobs."""
    limit, before = read_page(call.request.query_params.multi_items())
    jobs = await call.services.jobs.list(call.tenant, limit, before)
    last = jobs[-1].job_id if len(jobs) == limit else None
    return JobsOut(jobs=[job_out(job) for job in jobs], next_before=last)


@Route(
    method="GET",
    path=f"{PATH}/{{job_id}}",
    operation_id="getJob",
    summary="A job: its state, its progress, its match",
    tag="jobs",
    scope="jobs",
    parameters=JOB,
    problems=(404,),
    answers={200: Answer("The job", JobOut, examples.JOB)},
)
async def get_job(call: JobCall) -> JobOut:
    """Return a job."""
    job_id = read_job_id(call.path("job_id"))
    return job_out(await call.services.jobs.get(call.tenant, job_id))


@Route(
    method="POST",
    path=f"{PATH}/{{job_id}}/confirm",
    operation_id="confirmJob",
    summary="Start a job that waits for a confirmation",
    description="Options in the body replace those of the job, and the file is matched again with "
    "them: this is how a proposed conversion is confirmed (`convert`). The body may be missing.",
    tag="jobs",
    scope="jobs",
    parameters=JOB,
    body=(ConfirmationIn,),
    needs_body=False,
    body_example={"options": {"convert": {"montant": "minor-to-major"}}},
    problems=(404, 409),
    answers={200: Answer("The job, queued", JobOut, examples.QUEUED)},
)
async def confirm_job(call: JobCall) -> JobOut:
    """Start a job that waits."""
    job_id = read_job_id(call.path("job_id"))
    document = read_json_document(await call.json_text()) if call.has_body else None
    changes = read_changes(document)
    return job_out(await call.services.jobs.confirm(call.tenant, job_id, changes))


@Route(
    method="DELETE",
    path=f"{PATH}/{{job_id}}",
    operation_id="cancelJob",
    summary="Cancel a job",
    description="A job that is being worked on stops within seconds, and `cancelling` is true "
    "until then. Its files are removed. A job that has ended stays as it is.",
    tag="jobs",
    scope="jobs",
    parameters=JOB,
    problems=(404,),
    answers={200: Answer("The job", JobOut, {**examples.JOB, "cancelling": True})},
)
async def cancel_job(call: JobCall) -> JobOut:
    """Cancel a job."""
    job_id = read_job_id(call.path("job_id"))
    return job_out(await call.services.jobs.cancel(call.tenant, job_id))


def _is_form(head: Head) -> bool:
    return (head.content_type or b"").strip().lower().startswith(FORM)


async def _submit_upload(call: JobCall, dry_run: bool) -> Job:
    jobs, body = call.services.jobs, call.body
    boundary = boundary_of(call.head.content_type)
    call.head.refuse_encoding()
    assert call.principal is not None
    async with jobs.draft(call.principal, body.announced, body.client_has_left) as draft:
        form = await receive_form(
            body, boundary, draft.paths.upload, jobs.limits.upload_bytes, jobs.room.require_space
        )
        options = read_form_options(form.fields)
        return await jobs.submit(draft, form.file_name or "", options, UPLOAD, dry_run)


async def _submit_source(call: JobCall, dry_run: bool) -> Job:
    jobs = call.services.jobs
    if not (call.head.content_type or b"").lower().startswith(JSON):
        boundary_of(call.head.content_type)  # names both media types
    found = read_source(read_json_document(await call.json_text()))
    assert call.principal is not None
    async with jobs.draft(call.principal, has_left=call.body.client_has_left) as draft:
        return await jobs.submit(draft, found.source, found.options, found.source, dry_run)
