"""Who may see what, and the headers of every answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from serve_app.console.answers import SECURITY_HEADERS, asset_url
from serve_app.console.routes import PAGES
from tests.contracts.console import HOST, KEY, POOR_KEY, TOKEN, Console
from tests.contracts.console_jobs import job

PRIVATE = [page for page in PAGES if page.is_private]


def path_of(template: str) -> str:
    return "/console" + template.replace("{job_id}", str(job().job_id))


@pytest.mark.parametrize("page", PRIVATE, ids=lambda page: f"{page.method} {page.path}")
async def test_private_pages_need_a_key(stranger: httpx.AsyncClient, page: Any) -> None:
    answer = await stranger.request(page.method, path_of(page.path))
    if page.method == "POST":
        assert answer.status_code == 401
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("page", PRIVATE, ids=lambda page: f"{page.method} {page.path}")
async def test_private_pages_need_the_scope(console: Console, page: Any) -> None:
    await console.table.add(job())
    async with console.browser(POOR_KEY) as poor:
        answer = await poor.request(page.method, path_of(page.path))
    assert answer.status_code == 403
    assert "“jobs”" in answer.text


async def test_signing_in_leads_back_to_a_page(stranger: httpx.AsyncClient) -> None:
    path = path_of("/score/{job_id}")
    location = (await stranger.get(path)).headers["location"]
    assert location == f"/console/sign-in?next=%2Fscore%2F{job().job_id}"
    location = (await stranger.get(f"{path}/result.csv")).headers["location"]
    assert location == "/console/sign-in"


async def test_a_script_is_told_instead_of_sent_away(stranger: httpx.AsyncClient) -> None:
    path = path_of("/score/{job_id}/progress")
    answer = await stranger.get(path, headers={"accept": "application/json"})
    assert answer.status_code == 401


async def test_the_key_is_checked_on_every_request(
    console: Console, browser: httpx.AsyncClient
) -> None:
    assert (await browser.get("/console/score")).status_code == 200
    browser.cookies.set("quorum-key", str(KEY)[:-1] + "x")
    assert (await browser.get("/console/score")).status_code == 303


@pytest.mark.parametrize(("method", "status"), [("GET", 303), ("POST", 401)])
async def test_a_key_that_is_not_valid_any_more_is_forgotten(
    console: Console, method: str, status: int
) -> None:
    console.revoke(KEY)
    path = "/console/score" if method == "GET" else "/console/sign-out"
    async with console.browser(KEY) as browser:
        answer = await browser.request(method, path)
    assert answer.status_code == status
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_store_that_is_away_is_no_wrong_key(
    console: Console, browser: httpx.AsyncClient
) -> None:
    console.down = True
    answer = await browser.get("/console/score")
    assert answer.status_code == 503
    assert "try again" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/console", "/console/score", "/console/sign-in", "/console/nothing", asset_url("upload.js")],
)
async def test_every_answer_has_the_headers(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    assert answer.headers["cache-control"] == (
        "public, max-age=31536000, immutable" if "static" in path else "no-store"
    )


@pytest.mark.parametrize("page", [p for p in PAGES if p.method == "POST"], ids=lambda p: p.path)
@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
async def test_forms_of_other_sites_are_refused(
    console: Console, browser: httpx.AsyncClient, page: Any, headers: dict[str, str]
) -> None:
    await console.table.add(job())
    data = {"token": TOKEN, "key": str(KEY)}
    answer = await browser.post(path_of(page.path), data=data, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_wrong_method_is_told(browser: httpx.AsyncClient) -> None:
    answer = await browser.delete("/console/score")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_head_is_answered_like_get(browser: httpx.AsyncClient) -> None:
    assert (await browser.head("/console/score")).status_code == 200


async def test_behind_serve_the_path_is_the_same(console: Console) -> None:
    transport = httpx.ASGITransport(console.site, root_path="/console")
    cookies = {"quorum-key": str(KEY)}
    async with httpx.AsyncClient(transport=transport, base_url=HOST, cookies=cookies) as browser:
        assert (await browser.get("/console/score")).status_code == 200
        assert (await browser.get("/console")).headers["location"] == "/console/score"


async def test_an_unforeseen_error_is_a_page(
    console: Console, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(console.table, "newest", broken)
    answer = await browser.get("/console/score")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"]
