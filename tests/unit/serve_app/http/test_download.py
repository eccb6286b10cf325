"""Files of jobs, as they are sent: names, parts, and what a client has already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from serve_app.gateway.jobs.jobs import Download
from serve_app.http.download import PIECE_BYTES, sent
from serve_app.http.exchange import IS_HEAD
from serve_app.http.problems import HttpProblem
from tests.contracts.console_jobs import done

CONTENT = bytes(range(256)) * (PIECE_BYTES // 256 + 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "result.parquet"
    path.write_bytes(CONTENT)
    return path


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": raw})


async def body_of(response: Response) -> bytes:
    chunks = [chunk async for chunk in response.body_iterator]  # type: ignore[attr-defined]
    return b"".join(chunks)


async def test_a_whole_file_comes_in_pieces(path: Path) -> None:
    response = await sent(asked(), Download(done(), "parquet", path), "scored")
    assert response.status_code == 200
    assert response.headers["content-length"] == str(len(CONTENT))
    assert await body_of(response) == CONTENT


async def test_a_part_is_sent_if_the_file_is_the_same(path: Path) -> None:
    download = Download(done(), "parquet", path)
    etag = (await sent(asked(), download, "scored")).headers["etag"]
    part = await sent(asked(range="bytes=3-9", if_range=etag), download, "scored")
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 3-9/{len(CONTENT)}"
    assert await body_of(part) == CONTENT[3:10]
    other = await sent(asked(range="bytes=3-9", if_range='"other"'), download, "scored")
    assert other.status_code == 200
    with pytest.raises(HttpProblem) as caught:
        await sent(asked(range=f"bytes={len(CONTENT)}-"), download, "scored")
    assert caught.value.slug == "range-not-satisfiable"


async def test_what_the_client_has_is_not_sent_again(path: Path) -> None:
    download = Download(done(), "parquet", path)
    etag = (await sent(asked(), download, "scored")).headers["etag"]
    again = await sent(asked(if_none_match=etag), download, "scored")
    assert (again.status_code, again.body) == (304, b"")


async def test_text_is_made_while_it_is_sent(path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a,b\n"
        yield b"1,2\n"

    response = await sent(asked(), Download(done(), "csv", path, chunks), "scored")
    assert "content-length" not in response.headers
    assert await body_of(response) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("file_name", "stem"),
    [
        ("march.csv.gz", "march"),
        ("../../etc/passwd", "passwd"),
        ('a"b\r\nx: y.csv', "a-b-x-y"),
        ("février.csv", "f-vrier"),
        ("", "file"),
        (".csv", "file"),
        ("a" * 300, "a" * 64),
    ],
)
async def test_names_are_safe_in_headers_and_on_disks(
    path: Path, file_name: str, stem: str
) -> None:
    download = Download(done(file_name=file_name), "parquet", path)
    response = await sent(asked(), download, "scored")
    told = response.headers["content-disposition"]
    assert told == f'attachment; filename="{stem}-scored.parquet"'


async def test_a_download_holds_its_place_until_it_ends(path: Path) -> None:
    held: list[str] = []

    @contextmanager
    def hold() -> Iterator[None]:
        held.append("held")
        yield
        held.append("given back")

    async def send(message: Any) -> None:
        assert held == ["held"]

    download = Download(done(), "parquet", path, None, hold)
    request = asked()
    response = await sent(request, download, "scored")
    await response({**request.scope, "asgi": {"spec_version": "2.4"}}, request.receive, send)
    assert held == ["held", "given back"]
    head = Request({**asked().scope, IS_HEAD: True})
    etag = (await sent(head, download, "scored")).headers["etag"]
    await sent(asked(if_none_match=etag), download, "scored")
    assert held == ["held", "given back"]


@pytest.mark.parametrize("known", ["*", "W/{}", '"other", {}'])
async def test_a_file_is_known_in_any_form_of_its_tag(path: Path, known: str) -> None:
    download = Download(done(), "parquet", path)
    etag = (await sent(asked(), download, "scored")).headers["etag"]
    asks = asked(if_none_match=known.format(etag))
    assert (await sent(asks, download, "scored")).status_code == 304
