"""The pages of a job."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from bulk.jobs.state import JobState
from references.matching.match import Match
from tests.contracts.console import OTHER_KEY, TOKEN, Console
from tests.contracts.console_jobs import CARDS, bad_match, column, done, good_match, job, model

PATH = f"/console/score/{job().job_id}"


async def test_a_job_that_waits_shows_its_match(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(job())
    text = (await browser.get(PATH)).text
    for words in ("card-payments", "commerçant", "0.93", "scores the file", "does not fit"):
        assert words in text
    assert 'value="minor-to-major:montant"' in text
    assert "Needed: a column with the months of the loan" in text
    assert TOKEN in text


async def test_hostile_columns_are_only_text(console: Console, browser: httpx.AsyncClient) -> None:
    name = '"><script>alert(1)</script>'
    hostile = model(columns=(column(name, name, note=name),), unused=(name,))
    await console.table.add(job(match=Match((hostile,), (CARDS,), notes=(name,))))
    text = (await browser.get(PATH)).text
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 5


async def test_confirming_starts_the_job(console: Console, browser: httpx.AsyncClient) -> None:
    await console.table.add(job())
    answer = await browser.post(f"{PATH}/confirm", data={"token": TOKEN})
    assert answer.headers["location"] == PATH
    assert console.table.jobs[job().job_id].state is JobState.QUEUED
    assert console.woken == 1


async def test_a_conversion_is_confirmed(console: Console, browser: httpx.AsyncClient) -> None:
    await console.wait(job())
    data = {"token": TOKEN, "convert": "minor-to-major:montant"}
    await browser.post(f"{PATH}/confirm", data=data)
    confirmed = console.table.jobs[job().job_id]
    assert confirmed.options.convert == {"montant": "minor-to-major"}
    assert confirmed.state is JobState.QUEUED


async def test_a_conversion_that_nobody_proposed_changes_nothing(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(job())
    data = {"token": TOKEN, "convert": "percent:pays"}
    answer = await browser.post(f"{PATH}/confirm", data=data)
    assert answer.status_code == 422
    assert console.table.jobs[job().job_id].state is JobState.WAITING


async def test_if_nothing_fits_any_more_the_job_goes_on_waiting(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.wait(job())
    console.match = bad_match()
    data = {"token": TOKEN, "convert": "minor-to-major:montant"}
    answer = await browser.post(f"{PATH}/confirm", data=data)
    assert answer.status_code == 422
    assert "No model fits" in answer.text
    assert console.table.jobs[job().job_id].state is JobState.WAITING


async def test_a_second_click_leads_to_the_job(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(job(state=JobState.SCORING))
    answer = await browser.post(f"{PATH}/confirm", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)


async def test_a_job_is_cancelled(console: Console, browser: httpx.AsyncClient) -> None:
    await console.table.add(job(state=JobState.SCORING))
    await browser.post(f"{PATH}/cancel", data={"token": TOKEN})
    assert "It is being stopped" in (await browser.get(PATH)).text
    console.table.change(job().job_id, state=JobState.CANCELLED)
    assert "The job was stopped" in (await browser.get(PATH)).text


async def test_progress_is_shown_and_polled(console: Console, browser: httpx.AsyncClient) -> None:
    running = job(state=JobState.SCORING, rows_total=200, rows_done=50, rows_per_s=10.0)
    await console.table.add(running)
    text = (await browser.get(PATH)).text
    assert 'value="0.25"' in text
    assert f'data-url="{PATH}/progress"' in text
    assert '<noscript><meta http-equiv="refresh"' in text
    told = (await browser.get(f"{PATH}/progress")).json()
    assert (told["share"], told["left"], told["ended"]) == (0.25, "15 s", False)


async def test_the_result_is_shown(console: Console, browser: httpx.AsyncClient) -> None:
    await console.table.add(done())
    text = (await browser.get(PATH)).text
    for words in ("115,990", "0.61\xa0%", "0.310", "much", "4,182", "0.83", "result.parquet"):
        assert words in text
    assert "than in training: &lt;montant&gt;" in text
    assert text.count('role="img"') >= 6


async def test_a_summary_that_lacks_parts_is_shown(
    console: Console, browser: httpx.AsyncClient
) -> None:
    await console.table.add(done(summary={}, match=None))
    assert (await browser.get(PATH)).status_code == 200


@pytest.mark.parametrize(
    ("state", "words"),
    [(JobState.REFUSED, "No model fits"), (JobState.FAILED, "could not be finished")],
)
async def test_a_job_that_ended_badly_says_why(
    console: Console, browser: httpx.AsyncClient, state: JobState, words: str
) -> None:
    problem = {"code": "x", "detail": "The column amount has texts in 3 % of the rows."}
    await console.table.add(job(state=state, problem=problem, match=bad_match()))
    text = (await browser.get(PATH)).text
    assert words in text
    assert problem["detail"] in text


async def test_another_tenants_job_is_not_there(console: Console) -> None:
    await console.table.add(done())
    before = console.finish(done().job_id)
    token = {"token": TOKEN}
    async with console.browser(OTHER_KEY) as other:
        missing = f"/console/score/{job(99).job_id}"
        for end in ("", "/progress", "/result.csv", "/result.parquet", "/errors.csv"):
            theirs, none = await other.get(PATH + end), await other.get(missing + end)
            assert theirs.status_code == none.status_code == 404
        for end in ("/confirm", "/cancel"):
            assert (await other.post(PATH + end, data=token)).status_code == 403
    assert console.table.jobs[done().job_id] == before


@pytest.mark.parametrize("job_id", ["x", "1", "0" * 32, "019caa6a-f000-7c11-9d0e-0000000000GG"])
async def test_what_is_no_id_is_not_there(browser: httpx.AsyncClient, job_id: str) -> None:
    assert (await browser.get(f"/console/score/{job_id}")).status_code == 404


async def test_notes_of_the_match_are_shown(console: Console, browser: httpx.AsyncClient) -> None:
    match = replace(good_match(), notes=("Replayed over its own history.",))
    await console.table.add(job(match=match))
    assert "Replayed over its own history." in (await browser.get(PATH)).text
