"""Streaming a form's file to disk."""

from __future__ import annotations

import asyncio
import errno
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fraud.errors import Overloaded
from serve_app.gateway.errors import CallerGone
from serve_app.http import upload
from serve_app.http.exchange import Body, Head
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.form import Form
from serve_app.http.upload import receive_form
from tests.unit.serve_app.http.reading.test_form import END, B, part

MIB = 1 << 20


async def enough(_: Path, __: int) -> None:
    """A disk with room."""


def body_of(pieces: Iterable[bytes], ends: str = "whole", length: int | None = None) -> Body:
    """Return a request body; after its pieces it ends `whole`, `gone` or `silent`."""
    messages = iter(pieces)

    async def receive() -> Any:
        for piece in messages:
            return {"type": "http.request", "body": piece, "more_body": True}
        if ends == "gone":
            return {"type": "http.disconnect"}
        if ends == "silent":
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [] if length is None else [(b"content-length", b"%d" % length)]
    return Body(receive, Head(headers))


async def received(path: Path, body: Body, max_bytes: int = MIB, **options: Any) -> Form:
    space = options.pop("require_space", enough)
    return await receive_form(body, B, path, max_bytes, space, **options)


async def test_the_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    content = bytes(range(256)) * 5000
    whole = part("file", content, file_name="x.csv") + part("models", b"2") + END
    pieces = [whole[at : at + 60_000] for at in range(0, len(whole), 60_000)]
    form = await received(path, body_of(pieces), 2 * MIB)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert form.fields == [("models", "2")]


async def test_a_file_that_exists_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        await received(tmp_path / "upload", body_of([part("file", b"x") + END]))
    assert (tmp_path / "upload").read_bytes() == b"mine"


async def test_the_limit_holds_with_and_without_a_length(tmp_path: Path) -> None:
    fits = part("file", b"x" * 1000) + END
    await received(tmp_path / "fits", body_of([fits]), 1000)
    for i, body in enumerate(
        (body_of([part("file", b"x" * 1001) + END]), body_of([], length=100 * MIB))
    ):
        with pytest.raises(HttpProblem) as refused:
            await received(tmp_path / f"{i}", body, 1000)
        assert refused.value.slug == "body-too-large"


async def test_fields_do_not_make_the_body_endless(tmp_path: Path) -> None:
    def endless() -> Iterable[bytes]:
        yield part("file", b"x")[:-2]
        while True:
            yield b"y" * MIB

    with pytest.raises(HttpProblem) as refused:
        await received(tmp_path / "a", body_of(endless()), 5 * MIB)
    assert refused.value.slug == "body-too-large"


@pytest.mark.virtual_time
async def test_a_client_that_falls_silent_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(HttpProblem) as refused:
        await received(tmp_path / "a", body_of([b"--"], "silent"), silence_s=60.0)
    assert refused.value.slug == "timeout-reading-body"
    assert (b"connection", b"close") in refused.value.headers


async def test_a_client_that_leaves_is_no_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(CallerGone):
        await received(tmp_path / "a", body_of([part("file", b"x" * 9)], "gone"))


async def test_a_body_that_ends_too_early_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(HttpProblem) as refused:
        await received(tmp_path / "a", body_of([part("file", b"x" * 9)]))
    assert refused.value.slug == "malformed-form"


async def test_a_disk_that_fills_up_ends_the_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "SPACE_EVERY_BYTES", 2 * MIB)
    asked: list[Path] = []

    async def full(folder: Path, _: int) -> None:
        asked.append(folder)
        if len(asked) == 2:
            raise Overloaded("the disk is nearly full", 60.0)

    pieces = [part("file", b"")[:-2], *[b"x" * MIB] * 50]
    with pytest.raises(Overloaded):
        await received(tmp_path / "a", body_of(pieces), 100 * MIB, require_space=full)
    assert asked == [tmp_path, tmp_path]
    assert (tmp_path / "a").stat().st_size < 6 * MIB


async def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    piece = b"x" * 65_536

    def pieces() -> Iterable[bytes]:
        yield part("file", b"")[:-2]
        for _ in range(1600):
            yield piece
        yield b"\r\n" + END

    tracemalloc.start()
    try:
        await received(tmp_path / "a", body_of(pieces()), 200 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "a").stat().st_size == 1600 * 65_536
    assert peak < 8 * MIB


@pytest.mark.virtual_time
async def test_a_client_that_sends_a_byte_now_and_then_is_not_waited_for(tmp_path: Path) -> None:
    sent = 0

    async def receive() -> Any:
        nonlocal sent
        sent += 1
        await asyncio.sleep(20.0)
        return {"type": "http.request", "body": b"-", "more_body": True}

    with pytest.raises(HttpProblem) as refused:
        await received(tmp_path / "a", Body(receive, Head([])), silence_s=60.0)
    assert refused.value.slug == "timeout-reading-body"
    assert sent <= 4


@pytest.mark.virtual_time
async def test_a_slow_disk_is_not_the_clients_fault() -> None:
    body = body_of([b"x"] * 10)
    async for _ in body.chunks(MIB, 60.0):
        await asyncio.sleep(100.0)
    assert body.is_read


class FullDisk:
    """A file that takes at most so much at a time, and so much in all."""

    def __init__(self, room: int) -> None:
        self.taken = bytearray()
        self._room = room

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data[: min(1000, self._room)])
        self._room -= len(taken)
        self.taken += taken
        return len(taken)


def test_what_a_file_takes_in_parts_is_written_as_a_whole() -> None:
    file = FullDisk(5000)
    upload._write(file, bytearray(range(256)) * 10)  # type: ignore[arg-type]
    assert file.taken == bytearray(range(256)) * 10


def test_a_full_disk_is_not_now_and_no_fault_of_the_file() -> None:
    with pytest.raises(Overloaded) as refused:
        upload._write(FullDisk(1500), bytearray(2000))  # type: ignore[arg-type]
    assert refused.value.retry_after_s == 60.0
