"""`/console/score/{job_id}`: the match, the progress or the result of a job, by its state."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from bulk.jobs.job import Job
from bulk.jobs.state import ENDED, JobState
from fraud.errors import Conflict
from references.matching.match import Match
from serve_app.console.answers import PRIVATE, go_to, page
from serve_app.console.form_options import conversions_of
from serve_app.console.views.match_view import models_of, proposals_of
from serve_app.console.views.progress_view import progress_of
from serve_app.console.views.result_view import result_of
from serve_app.console.views.words import state_sentence
from serve_app.console.visit import Visit
from serve_app.gateway.errors import MatchRefused


async def show(visit: Visit) -> Response:
    """Show a job."""
    job = await visit.parts.jobs.get(visit.tenant, visit.job_id)
    if job.state is JobState.WAITING and job.match is not None:
        return _waiting(visit, job, job.match)
    if job.state is JobState.DONE:
        models = models_of(job.match) if job.match else []
        return _page(visit, "result", job=job, view=result_of(job), models=models)
    if job.state in ENDED:
        return _ended(visit, job)
    models = models_of(job.match) if job.match else []
    return _page(visit, "running", job=job, progress=progress_of(job), models=models)


async def progress(visit: Visit) -> Response:
    """Return the progress as JSON."""
    job = await visit.parts.jobs.get(visit.tenant, visit.job_id)
    headers = {"cache-control": PRIVATE}
    return JSONResponse(progress_of(job).to_document(), headers=headers)


async def confirm(visit: Visit) -> Response:
    """Start a job that waits, with the conversions that were ticked."""
    fields = await visit.form()
    job = await visit.parts.jobs.get(visit.tenant, visit.job_id)
    ticked = conversions_of(fields.get("convert", []), job.match) if job.match else {}
    changes = {"convert": {**job.options.convert, **ticked}} if ticked else {}
    try:
        await visit.parts.jobs.confirm(visit.tenant, visit.job_id, changes)
    except Conflict:
        pass  # a second click: the page says what the job does
    except MatchRefused as error:
        return refused(visit, job.file_name, error.match)
    return go_to(f"/score/{job.job_id}")


async def cancel(visit: Visit) -> Response:
    """Stop a job."""
    await visit.form()
    job = await visit.parts.jobs.cancel(visit.tenant, visit.job_id)
    return go_to(f"/score/{job.job_id}")


def refused(visit: Visit, file_name: str, match: Match) -> Response:
    """Return the page that says why no model fits a file of which nothing was kept."""
    return _page(
        visit,
        "ended",
        422,
        file_name=file_name,
        state=JobState.REFUSED,
        sentence=state_sentence(JobState.REFUSED),
        detail="",
        match=match,
        models=models_of(match),
    )


def _waiting(visit: Visit, job: Job, match: Match) -> Response:
    models = models_of(match)
    chosen = [model for model in models if model.chosen]
    return _page(
        visit,
        "waiting",
        job=job,
        match=match,
        models=models,
        chosen=chosen,
        proposals=proposals_of(match),
    )


def _ended(visit: Visit, job: Job) -> Response:
    return _page(
        visit,
        "ended",
        file_name=job.file_name,
        state=job.state,
        sentence=state_sentence(job.state),
        detail=job.problem.get("detail", ""),
        match=job.match,
        models=models_of(job.match) if job.match else [],
    )


def _page(visit: Visit, template: str, status: int = 200, **values: object) -> Response:
    return page(template, status, session=visit.signed_in, **values)
