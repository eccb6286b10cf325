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
from serve_app.gateway.errors import MatchRefused
from serve_app.http.problems import HttpProblem

SHOWN: Final = 50
"""Most files in the list."""


async def home(_: Visit) -> Response:
    """Lead to the first page."""
    return go_to("/score")


async def form(visit: Visit) -> Response:
    """Show the form and the tenant's files."""
    return await _form(visit)


async def submit(visit: Visit) -> Response:
    """Take a file, match it, and lead to the match."""
    jobs, principal = visit.parts.jobs, visit.signed_in.principal
    length = visit.request.headers.get("content-length", "")
    try:
        async with jobs.draft(principal, int(length) if length.isdigit() else 0) as draft:
            sent = await visit.parts.receive(visit.request, draft.paths.upload)
            visit.require_token(sent.fields.get("token", ""))
            if not sent.file_name:
                fault = ("/file", "missing", "Choose a file first")
                raise InvalidInput("there is no file", (fault,))
            options = options_of(sent.fields)
            try:
                job = await jobs.submit(draft, sent.file_name, options)
            except MatchRefused as error:
                return refused(visit, sent.file_name, error.match)
    except (InvalidInput, HttpProblem, Overloaded) as error:
        return await _form(visit, plain(visit.request, error))
    return go_to(f"/score/{job.job_id}")


async def _form(visit: Visit, fault: Told | None = None) -> Response:
    answer = page(
        "score",
        200 if fault is None else fault.status,
        session=visit.signed_in,
        here="score",
        jobs=await visit.parts.jobs.list(visit.tenant, SHOWN),
        fault=fault,
        max_bytes=visit.parts.jobs.limits.upload_bytes,
    )
    for name, value in () if fault is None else fault.headers:
        answer.headers[name] = value
    return answer
