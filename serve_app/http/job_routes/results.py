"""What a job found: the result, the rows that could not be read, the summary."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path, PurePath
from typing import Final

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from serve_app.gateway.jobs import Download
from serve_app.http.exchange import IS_HEAD
from serve_app.http.job_routes import examples
from serve_app.http.job_routes.jobs import JOB, PATH, JobCall
from serve_app.http.reading.byte_range import read_range
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
PIECE_BYTES: Final = 256 * 1024
_FILE_HEADERS: Final = ("Content-Disposition", "ETag")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


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
        )
    },
)
async def get_result(call: JobCall) -> Response:
    """Return the result of a job, as a stream."""
    job_id = read_job_id(call.path("job_id"))
    query = call.request.query_params.multi_items()
    format = read_format(query, call.request.headers.get("accept", ""))
    return await _sent(call, await call.services.jobs.result(call.tenant, job_id, format), "scored")


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
    answers={200: Answer("The rows", media_type="text/csv", headers=_FILE_HEADERS)},
)
async def get_errors(call: JobCall) -> Response:
    """Return the rows that could not be read, as a stream."""
    job_id = read_job_id(call.path("job_id"))
    Query.read(call.request.query_params.multi_items(), ()).require_faultless()
    return await _sent(call, await call.services.jobs.errors(call.tenant, job_id), "errors")


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


async def _sent(call: JobCall, download: Download, what: str) -> Response:
    state = await asyncio.to_thread(os.stat, download.path)
    etag = _etag(download, state)
    name = f"{_stem(download.job.file_name)}-{what}.{download.format}"
    headers = {
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
        "content-disposition": f'attachment; filename="{name}"',
        "etag": etag,
        "vary": "accept",
    }
    if etag in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    status, part = 200, None
    if download.chunks is None:
        headers["accept-ranges"] = "bytes"
        part = _part(call, etag, state.st_size)
        start, stop = part or (0, state.st_size)
        headers["content-length"] = str(stop - start)
        chunks = _pieces(download.path, start, stop)
        if part is not None:
            status = 206
            headers["content-range"] = f"bytes {start}-{stop - 1}/{state.st_size}"
    else:
        chunks = download.chunks()
    is_head = call.request.scope.get(IS_HEAD, False)
    body = _nothing() if is_head else _streamed(chunks)
    media_type = MEDIA_TYPES[download.format]
    return StreamingResponse(body, status, headers, media_type)


def _part(call: JobCall, etag: str, size: int) -> tuple[int, int] | None:
    """Return the range of bytes that the client wants, None for the whole file."""
    if call.request.headers.get("if-range", etag) != etag:
        return None
    return read_range(call.request.headers.get("range", ""), size)


def _pieces(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop:
            piece = file.read(min(PIECE_BYTES, stop - start))
            if not piece:
                raise EOFError("the file became shorter")
            start += len(piece)
            yield piece


async def _streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces that are made in a thread, one at a time."""
    try:
        async for piece in iterate_in_threadpool(pieces):
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            await asyncio.to_thread(close)


async def _nothing() -> AsyncIterator[bytes]:
    """Yield nothing: the client wants the head alone."""
    yield b""


def _etag(download: Download, state: os.stat_result) -> str:
    known = f"{download.job.job_id} {download.format} {state.st_size} {state.st_mtime_ns}"
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'


def _stem(file_name: str) -> str:
    """Return the name of a file without its suffixes, safe in any header and on any disk."""
    stem = PurePath(file_name).name.split(".")[0]
    return _UNSAFE.sub("-", stem).strip("-")[:64] or "file"
