"""Reading small forms."""

from __future__ import annotations

import httpx
import pytest

from serve_app.console.visit import MAX_FORM_BYTES
from tests.contracts.console import OTHER_KEY, TOKEN, Console
from tests.contracts.console_jobs import job

PATH = "/console/score/{}/cancel"


@pytest.fixture
async def path(console: Console) -> str:
    waiting = await console.table.add(job())
    return PATH.format(waiting.job_id)


async def test_a_form_needs_its_token(
    console: Console, browser: httpx.AsyncClient, path: str
) -> None:
    for fields in ({"x": "1"}, {"token": ""}, {"token": "0" * 64}, {"token": TOKEN[:-1]}):
        answer = await browser.post(path, data=fields)
        assert answer.status_code == 403
        assert "cannot be used" in answer.text
    assert (await browser.post(path, data={"token": TOKEN})).status_code == 303


async def test_the_token_of_another_key_is_refused(console: Console, path: str) -> None:
    async with console.browser(OTHER_KEY) as other:
        assert (await other.post(path, data={"token": TOKEN})).status_code == 403


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a" * (MAX_FORM_BYTES + 1), "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=%d" % i for i in range(1001)), "application/x-www-form-urlencoded", 422),
        (b"token=%ff", "application/x-www-form-urlencoded", 422),
        (b"\xff", "application/x-www-form-urlencoded", 422),
    ],
)
async def test_what_is_no_form_is_refused(
    browser: httpx.AsyncClient, path: str, body: bytes, media_type: str, status: int
) -> None:
    headers = {"content-type": media_type}
    assert (await browser.post(path, content=body, headers=headers)).status_code == status
