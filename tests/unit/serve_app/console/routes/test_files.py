"""Files that pages load, and downloads."""

from __future__ import annotations

import httpx
import pytest

from bulk.jobs.state import JobState
from serve_app.console.answers import asset_url
from serve_app.console.assets import assets
from tests.contracts.console import Console
from tests.contracts.console_jobs import done, job

PATH = f"/console/score/{done().job_id}"


async def test_files_need_no_key_and_are_kept_for_good(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get(asset_url("progress.js"))
    assert answer.content == assets()["progress.js"].body
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


async def test_the_file_of_another_release_is_not_kept(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/console/static/progress.0123456789ab.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["site.py", "..%2Fsite.0.py", "console.css", "x.0.css"])
async def test_nothing_else_is_served(stranger: httpx.AsyncClient, name: str) -> None:
    assert (await stranger.get(f"/console/static/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("end", "content", "name"),
    [
        ("result.csv", b"a,b\r\nPAR1", "paiements-f%C3%A9vrier-scored.csv"),
        ("result.parquet", b"PAR1", "paiements-f%C3%A9vrier-scored.parquet"),
        ("errors.csv", b"a,b\r\nERR1", "paiements-f%C3%A9vrier-unreadable.csv"),
    ],
)
async def test_downloads(
    console: Console, browser: httpx.AsyncClient, end: str, content: bytes, name: str
) -> None:
    await console.table.add(done())
    paths = console.files.make(done().job_id)
    paths.result.write_bytes(b"PAR1")
    paths.errors.write_bytes(b"ERR1")
    answer = await browser.get(f"{PATH}/{end}")
    assert answer.content == content
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{name}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ['a"b\r\nx: y.csv', "../../etc/passwd", ".csv", "", "ü;b.csv"])
async def test_hostile_names_stay_in_their_header(
    console: Console, browser: httpx.AsyncClient, name: str
) -> None:
    await console.table.add(done(file_name=name))
    console.files.make(done().job_id).result.write_bytes(b"PAR1")
    answer = await browser.get(f"{PATH}/result.csv")
    assert answer.status_code == 200
    assert "x" not in answer.headers
    told = answer.headers["content-disposition"].removeprefix("attachment; filename*=utf-8''")
    assert told.endswith("-scored.csv")
    assert not set(told) & set('"\r\n/; ')


async def test_a_result_that_is_not_there_yet(console: Console, browser: httpx.AsyncClient) -> None:
    await console.table.add(job(state=JobState.SCORING))
    answer = await browser.get(f"{PATH}/result.csv")
    assert answer.status_code == 409
    assert "there is no result yet" in answer.text
