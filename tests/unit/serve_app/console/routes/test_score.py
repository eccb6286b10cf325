"""The form that takes a file."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from bulk.jobs.state import JobState
from references.matching.match import Match
from serve_app.console.routes.score import SHOWN
from tests.contracts.console import TOKEN, Console
from tests.contracts.console_jobs import bad_match, done, job

SCORE = "/console/score"
CSV = b"montant;pays\r\n1,50;FR\r\n"


async def send(browser: httpx.AsyncClient, content: bytes = CSV, **fields: str) -> httpx.Response:
    data = {"token": TOKEN, **fields}
    return await browser.post(SCORE, data=data, files={"file": ("a.csv", content)})


async def test_a_file_becomes_a_job_that_waits(
    console: Console, browser: httpx.AsyncClient
) -> None:
    answer = await send(browser, models="2")
    (made,) = console.table.jobs.values()
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SCORE}/{made.job_id}")
    assert (made.state, made.tenant, made.options.models) == (JobState.WAITING, "acme", 2)
    ((tenant, name, _, content),) = console.examined
    assert (tenant, name, content) == ("acme", "a.csv", CSV)
    assert console.woken == 0


async def test_the_files_of_the_tenant_are_listed(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(done(1, file_name="ours.csv"))
    await console.table.add(job(2, tenant="rival", file_name="theirs.csv"))
    text = (await browser.get(SCORE)).text
    assert "ours.csv" in text
    assert "theirs.csv" not in text
    assert "Older files" not in text


async def test_older_files_are_on_further_pages(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(done(1, file_name="oldest.csv"))
    for number in range(10, 10 + SHOWN):
        await console.table.add(job(number, file_name="newer.csv"))
    first = await browser.get(SCORE)
    assert "oldest.csv" not in first.text
    (older,) = re.findall(r'href="([^"#]+)#jobs">Older files', first.text)
    assert "oldest.csv" in (await browser.get(older)).text
    assert (await browser.get(f"{SCORE}?before=x")).status_code == 404


async def test_hostile_names_of_files_are_only_text(
    console: Console, browser: httpx.AsyncClient
) -> None:
    name = "\"><img src=x onerror=alert(1)>'{{7*7}}.csv"
    await console.table.add(job(1, file_name=name))
    for path in (SCORE, f"{SCORE}/{job(1).job_id}"):
        text = (await browser.get(path)).text
        assert "<img src=x" not in text
        assert "49" not in text.split("<main")[1].split("card")[0]
        assert "&lt;img src=x onerror=alert(1)&gt;&#39;{{7*7}}.csv" in text


async def test_a_file_that_fits_nothing_is_not_kept(
    console: Console, browser: httpx.AsyncClient
) -> None:
    console.match = bad_match()
    answer = await send(browser)
    assert answer.status_code == 422
    assert "No model fits this file" in answer.text
    assert "a column with the months of the loan" in answer.text
    assert console.table.jobs == {}
    assert console.files() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"medium": "0.9"}, "medium must be below high"),
        ({"levels": "review"}, "Say how many rows can be reviewed"),
        ({"models": "many"}, "expected a whole number"),
    ],
)
async def test_a_wrong_option_is_told_on_the_form(
    console: Console,
    browser: httpx.AsyncClient,
    fields: dict[str, str],
    words: str,
) -> None:
    answer = await send(browser, **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="upload"' in answer.text
    assert console.files() == []


async def test_no_file_is_told(console: Console, browser: httpx.AsyncClient) -> None:
    data = {"token": TOKEN}
    answer = await browser.post(SCORE, data=data, files={"file": ("", b"")})
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


async def test_an_upload_needs_its_token(console: Console, browser: httpx.AsyncClient) -> None:
    answer = await send(browser, token="0" * 64)
    assert answer.status_code == 403
    assert console.examined == []
    assert console.files() == []


async def test_a_model_that_was_forced_is_told(
    console: Console, browser: httpx.AsyncClient
) -> None:
    match = console.match
    assert isinstance(match, Match)
    first = replace(match.models[0], forced=True, reasons=match.models[2].reasons)
    await console.table.add(done(1, match=replace(match, models=(first, *match.models[1:]))))
    text = (await browser.get(f"{SCORE}/{done(1).job_id}")).text
    assert "Used at your word, although the file does not fit: card-payments." in text
    assert "used at your word" in text
