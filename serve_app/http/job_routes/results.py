"""What a job found: the result, the rows that could not be read, the summary."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from serve_app.http.download import sent
from serve_app.http.job_routes import examples
from serve_app.http.job_routes.jobs import JOB, PATH, JobCall
from serve_app.http.reading.job_bodies import MEDIA_TYPES, read_format, read_job_id
from serve_app.http.reading.query import Query
from serve_app.http.route import Answer, Json, Route
from serve_app.http.wire.job_schemas import SummaryOut, summary_out

FORMAT: Final[Json] = {
    "format": {
        "type": "string",
        "enum": list(MEDIA_TYPES),
        "description": "else by `Accept`, else as the job's options say",
    }
}
_FILE_HEADERS: Final = ("Content-Disposition", "ETag")
_KNOWN: Final = Answer(
    "The client has it already: `If-None-Match`", media_type="", headers=("ETag",)
)


@Route(
    method="GET",
    path=f"{PATH}/{{job_id}}/result",
    operation_id="getResult",
    summary="The result of a job",
    description="The columns of the file as they were, then Quorum's. Texts that a spreadsheet "
    "would take for formulas are marked with a leading apostrophe in CSV. A Parquet file also "
    "answers `Range`.",
    tag="jobs",
    scope="jobs",
    parameters={**JOB, **FORMAT},
    problems=(404, 406, 409, 416, 422),
    answers={
        200: Answer(
            "The result",
            media_type="text/csv",
            also=("application/vnd.apache.parquet",),
            headers=_FILE_HEADERS,
        ),
        206: Answer(
            "A part of the Parquet file: `Range`",
            media_type="application/vnd.apache.parquet",
            headers=(*_FILE_HEADERS, "Content-Range"),
        ),
        304: _KNOWN,
    },
)
async def get_result(call: JobCall) -> Response:
    """Return the result of a job, as a stream."""
    job_id = read_job_id(call.path("job_id"))
    query = call.request.query_params.multi_items()
    format = read_format(query, call.request.headers.get("accept", ""))
    found = await call.services.jobs.result(call.tenant, job_id, format)
    return await sent(call.request, found, "scored")


@Route(
    method="GET",
    path=f"{PATH}/{{job_id}}/errors.csv",
    operation_id="getErrors",
    summary="The rows of a file that could not be read",
    description="Line, column and reason of each; no cell of the file.",
    tag="jobs",
    scope="jobs",
    parameters=JOB,
    problems=(404, 409, 422),
    answers={
        200: Answer("The rows", media_type="text/csv", headers=_FILE_HEADERS),
        304: _KNOWN,
    },
)
async def get_errors(call: JobCall) -> Response:
    """Return the rows that could not be read, as a stream."""
    job_id = read_job_id(call.path("job_id"))
    Query.read(call.request.query_params.multi_items(), ()).require_faultless()
    found = await call.services.jobs.errors(call.tenant, job_id)
    return await sent(call.request, found, "errors")


@Route(
    method="GET",
    path=f"{PATH}/{{job_id}}/summary",
    operation_id="getSummary",
    summary="What a job found, in figures",
    tag="jobs",
    scope="jobs",
    parameters=JOB,
    problems=(404, 409),
    answers={200: Answer("The summary", SummaryOut, examples.SUMMARY)},
)
async def get_summary(call: JobCall) -> SummaryOut:
    """Return the summary of a job."""
    job_id = read_job_id(call.path("job_id"))
    job = await call.services.jobs.summary(call.tenant, job_id)
    return summary_out(job, f"{PATH}/{job.job_id}")
