"""Files of jobs, as they are sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path, PurePath
from typing import Any, Final, cast

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from serve_app.gateway.jobs.jobs import Download
from serve_app.http.exchange import IS_HEAD
from serve_app.http.reading.byte_range import read_range
from serve_app.http.reading.job_bodies import MEDIA_TYPES

PIECE_BYTES: Final = 256 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


async def sent(request: Request, download: Download, what: str) -> Response:
    """Return a file as a stream; a part of it, or nothing, if the client asks so.

    Args:
        what: end of the name under which the client keeps the file.

    Raises:
        HttpProblem: 416: the file has no such part.
        Overloaded: too many files are sent at a time.
    """
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
    if _has(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    status, part = 200, None
    if download.chunks is None:
        headers["accept-ranges"] = "bytes"
        part = _part(request, etag, state.st_size)
        start, stop = part or (0, state.st_size)
        headers["content-length"] = str(stop - start)
        chunks = _pieces(download.path, start, stop)
        if part is not None:
            status = 206
            headers["content-range"] = f"bytes {start}-{stop - 1}/{state.st_size}"
    else:
        chunks = download.chunks()
    media_type = MEDIA_TYPES[download.format]
    if request.scope.get(IS_HEAD, False):
        return StreamingResponse(_nothing(), status, headers, media_type)
    answer = _Stream(_streamed(chunks), status, headers, media_type)
    answer.held.enter_context(download.hold())
    return answer


class _Stream(StreamingResponse):
    """A stream that is closed at once if the client leaves, and its file with it.

    Attributes:
        held: given back when it ends.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.held = ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.held:
            await self._send_all(scope, receive, send)

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(cast("AsyncGenerator[bytes]", self.body_iterator)):
            await super().__call__(scope, receive, send)


def _has(known: str, etag: str) -> bool:
    """Return whether `If-None-Match` names the file (RFC 9110, section 13.1.2)."""
    return known.strip() == "*" or etag in known


def _part(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Return the range of bytes that the client wants, None for the whole file."""
    if request.headers.get("if-range", etag) != etag:
        return None
    return read_range(request.headers.get("range", ""), size)


def _pieces(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop:
            piece = file.read(min(PIECE_BYTES, stop - start))
            if not piece:
                raise EOFError("the file became shorter")
            start += len(piece)
            yield piece


async def _streamed(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield pieces that are made in a thread, one at a time."""
    try:
        async for piece in iterate_in_threadpool(pieces):
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            await asyncio.to_thread(close)


async def _nothing() -> AsyncGenerator[bytes]:
    """Yield nothing: the client wants the head alone."""
    yield b""


def _etag(download: Download, state: os.stat_result) -> str:
    known = f"{download.job.job_id} {download.format} {state.st_size} {state.st_mtime_ns}"
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'


def _stem(file_name: str) -> str:
    """Return the name of a file without its suffixes, safe in any header and on any disk."""
    stem = PurePath(file_name).name.split(".")[0]
    return _UNSAFE.sub("-", stem).strip("-")[:64] or "file"
