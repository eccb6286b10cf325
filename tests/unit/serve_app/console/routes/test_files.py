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
    ("end", "begins", "name"),
    [
        ("result.csv", b"montant,quorum_probability\n12.50,", "paiements-f-vrier-scored.csv"),
        ("result.parquet", b"PAR1", "paiements-f-vrier-scored.parquet"),
        ("errors.csv", b"line,reason\n4,cells", "paiements-f-vrier-errors.csv"),
    ],
)
async def test_downloads(
    console: Console, browser: httpx.AsyncClient, end: str, begins: bytes, name: str
) -> None:
    await console.table.add(done())
    console.finish(done().job_id)
    answer = await browser.get(f"{PATH}/{end}")
    assert answer.content.startswith(begins)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ['a"b\r\nx: y.csv', "../../etc/passwd", ".csv", "", "ü;b.csv"])
async def test_hostile_names_stay_in_their_header(
    console: Console, browser: httpx.AsyncClient, name: str
) -> None:
    await console.table.add(done(file_name=name))
    console.finish(done().job_id)
    answer = await browser.get(f"{PATH}/result.csv")
    assert answer.status_code == 200
    told = answer.headers["content-disposition"].removeprefix('attachment; filename="')
    assert told.endswith('-scored.csv"')
    assert not set(told[:-1]) & set('"\r\n/; ')


async def test_a_result_that_is_not_there_yet(console: Console, browser: httpx.AsyncClient) -> None:
    await console.table.add(job(state=JobState.SCORING))
    answer = await browser.get(f"{PATH}/result.csv")
    assert answer.status_code == 409
    assert "there is no result yet" in answer.text
