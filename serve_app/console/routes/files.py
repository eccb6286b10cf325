"""Files: those that pages load, and the downloads of a job."""

from __future__ import annotations

from starlette.responses import Response

from fraud.errors import NotFound
from serve_app.console.answers import FOR_GOOD, PRIVATE
from serve_app.console.assets import assets, plain_name
from serve_app.console.visit import Visit
from serve_app.gateway.jobs.jobs import Download
from serve_app.http.download import sent


async def static(visit: Visit) -> Response:
    """Return a style sheet, script or icon.

    Under the digest of another release it is sent, but not to be kept: while a release is rolled
    out, the page may come from one replica and its files from another.
    """
    served = visit.request.path_params["name"]
    found = assets().get(plain_name(served))
    if found is None:
        raise NotFound("no such file")
    keep = FOR_GOOD if served == found.served else PRIVATE
    return Response(found.body, media_type=found.media_type, headers={"cache-control": keep})


async def result_csv(visit: Visit) -> Response:
    """Return the result of a job as CSV."""
    found = await visit.parts.jobs.result(visit.tenant, visit.job_id, "csv")
    return await _sent(visit, found, "scored")


async def result_parquet(visit: Visit) -> Response:
    """Return the result of a job as Parquet."""
    found = await visit.parts.jobs.result(visit.tenant, visit.job_id, "parquet")
    return await _sent(visit, found, "scored")


async def errors_csv(visit: Visit) -> Response:
    """Return the rows that could not be read as CSV."""
    found = await visit.parts.jobs.errors(visit.tenant, visit.job_id)
    return await _sent(visit, found, "errors")


async def _sent(visit: Visit, found: Download, what: str) -> Response:
    answer = await sent(visit.request, found, what)
    answer.headers["cache-control"] = PRIVATE
    return answer
