"""`/console/score`: the form that takes a file, and the tenant's files."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from fraud.errors import InvalidInput, Overloaded
from serve_app.console.answers import go_to, page
from serve_app.console.form_options import options_of
from serve_app.console.problem_page import Told, plain
from serve_app.console.routes.job import refused
from serve_app.console.visit import Visit
from serve_app.gateway.errors import MatchRefused, TooManyJobs
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.form import boundary_of
from serve_app.http.reading.job_bodies import read_job_id
from serve_app.http.upload import receive_form

SHOWN: Final = 50
"""Most files in the list; the older ones are on further pages."""


async def home(_: Visit) -> Response:
    """Lead to the first page."""
    return go_to("/score")


async def form(visit: Visit) -> Response:
    """Show the form and the tenant's files."""
    return await _form(visit)


async def submit(visit: Visit) -> Response:
    """Take a file, match it, and lead to the match."""
    jobs, principal = visit.parts.jobs, visit.signed_in.principal
    try:
        boundary = boundary_of(visit.content_type.encode("latin-1"))
        async with jobs.draft(principal, visit.body.announced, visit.body.client_has_left) as draft:
            path, most = draft.paths.upload, jobs.limits.upload_bytes
            sent = await receive_form(visit.body, boundary, path, most, jobs.room.require_space)
            fields = dict(sent.fields)
            visit.require_token(fields.get("token", ""))
            if not sent.file_name:
                fault = ("/file", "missing", "Choose a file first")
                raise InvalidInput("there is no file", (fault,))
            try:
                job = await jobs.submit(draft, sent.file_name, options_of(fields))
            except MatchRefused as error:
                return refused(visit, sent.file_name, error.match)
    except (InvalidInput, HttpProblem, Overloaded, TooManyJobs) as error:
        return await _form(visit, plain(visit.request, error))
    return go_to(f"/score/{job.job_id}")


async def _form(visit: Visit, fault: Told | None = None) -> Response:
    given = visit.request.query_params.get("before")
    before = None if given is None else read_job_id(given)
    jobs = await visit.parts.jobs.list(visit.tenant, SHOWN, before)
    answer = page(
        "score",
        200 if fault is None else fault.status,
        session=visit.signed_in,
        here="score",
        jobs=jobs,
        older=jobs[-1].job_id if len(jobs) == SHOWN else None,
        fault=fault,
        max_bytes=visit.parts.jobs.limits.upload_bytes,
    )
    for name, value in () if fault is None else fault.headers:
        answer.headers[name] = value
    return answer
