"""A form with a file, streamed to disk as it comes in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Final

from serve_app.gateway.jobs.room import FULL_DISK, nearly_full
from serve_app.http.exchange import Body
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.form import MAX_FIELD_BYTES, MAX_FIELDS, Form

SILENCE_S: Final = 60.0
"""Longest wait for the next piece of an upload."""

FORM_BYTES: Final = MAX_FIELDS * MAX_FIELD_BYTES
"""What a form may have beside its file."""

BUFFER_BYTES: Final = 1 << 20
"""What of an upload is in memory at most."""

SPACE_EVERY_BYTES: Final = 4 << 20
"""How often the free space of the disk is looked at: uploads that look at the same moment must not
take more than is kept free."""

RequireSpace = Callable[[Path, int], Awaitable[None]]


async def receive_form(
    body: Body,
    boundary: bytes,
    path: Path,
    max_bytes: int,
    require_space: RequireSpace,
    silence_s: float = SILENCE_S,
) -> Form:
    """Read a form; its file goes to `path`, which must not exist.

    Memory does not grow with the file. What was written stays when this fails: the folder is the
    caller's.

    Args:
        body: of the request.
        boundary: between the parts of the form.
        max_bytes: size of the largest file.
        require_space: (folder, bytes) -> nothing, or Overloaded if the disk is nearly full.
        silence_s: longest wait for the next piece, seconds.

    Returns:
        The form, read to its end.

    Raises:
        HttpProblem: 400, 408 or 413.
        InvalidInput: a field is wrong.
        Overloaded: the disk is nearly full.
        CallerGone: the client went away.
    """
    form = Form(boundary)
    with _created(path) as file:
        sink = _Sink(file, path.parent, max_bytes, require_space)
        async for chunk in body.chunks(max_bytes + FORM_BYTES, silence_s):
            await sink.write(form.feed(chunk))
        form.end()
        await sink.flush()
    return form


class _Sink:
    """Writes the file in large pieces, outside of the event loop."""

    def __init__(
        self, file: IO[bytes], folder: Path, max_bytes: int, require_space: RequireSpace
    ) -> None:
        self._file = file
        self._folder = folder
        self._max_bytes = max_bytes
        self._require_space = require_space
        self._buffer = bytearray()
        self._size = 0
        self._checked = 0

    async def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._max_bytes:
            detail = f"The file may have at most {self._max_bytes} bytes"
            raise HttpProblem("body-too-large", detail)
        self._buffer += data
        if len(self._buffer) >= BUFFER_BYTES:
            await self.flush()

    async def flush(self) -> None:
        if self._size - self._checked >= SPACE_EVERY_BYTES:
            await self._require_space(self._folder, len(self._buffer))
            self._checked = self._size
        data, self._buffer = self._buffer, bytearray()
        await asyncio.to_thread(_write, self._file, data)


def _write(file: IO[bytes], data: bytearray) -> None:
    left = memoryview(data)
    try:
        while left:
            # A disk that becomes full takes a part, and tells of it with the next piece only.
            left = left[file.write(left) :]
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        raise nearly_full() from None


def _created(path: Path) -> IO[bytes]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return open(handle, "wb", buffering=0)
