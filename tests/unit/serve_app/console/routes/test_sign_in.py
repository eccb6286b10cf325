"""Signing in and out."""

from __future__ import annotations

import httpx
import pytest

from serve_app.console.routes.sign_in import is_return
from tests.contracts.console import KEY, POOR_KEY, TOKEN, Console
from tests.contracts.console_jobs import job

SIGN_IN = "/console/sign-in"


async def test_a_key_opens_the_console(console: Console, stranger: httpx.AsyncClient) -> None:
    assert 'name="key" type="password"' in (await stranger.get(SIGN_IN)).text
    answer = await stranger.post(SIGN_IN, data={"key": f" {KEY} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/score")
    assert "; HttpOnly; " in answer.headers["set-cookie"]
    assert (await stranger.get("/console/score")).status_code == 200


async def test_over_tls_the_cookie_is_secure(console: Console, stranger: httpx.AsyncClient) -> None:
    headers = {"x-forwarded-proto": "https"}
    answer = await stranger.post(SIGN_IN, data={"key": str(KEY)}, headers=headers)
    assert answer.headers["set-cookie"].startswith("__Secure-quorum-key=")
    assert "; Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("key", ["", "nonsense", f"qk_abcdefghijkm_{'x' * 43}", "<script>"])
async def test_a_wrong_key_is_not_repeated(stranger: httpx.AsyncClient, key: str) -> None:
    answer = await stranger.post(SIGN_IN, data={"key": key})
    assert answer.status_code == 401
    assert "not valid" in answer.text
    assert "set-cookie" not in answer.headers
    assert not key or key not in answer.text


async def test_a_revoked_key_is_a_wrong_key(console: Console, stranger: httpx.AsyncClient) -> None:
    console.revoke(KEY)
    answer = await stranger.post(SIGN_IN, data={"key": str(KEY)})
    assert answer.status_code == 401


async def test_a_key_without_the_scope(console: Console, stranger: httpx.AsyncClient) -> None:
    answer = await stranger.post(SIGN_IN, data={"key": str(POOR_KEY)})
    assert answer.status_code == 403
    assert "scope “jobs”" in answer.text
    assert "set-cookie" not in answer.headers


async def test_one_leads_back(console: Console, stranger: httpx.AsyncClient) -> None:
    path = f"/score/{job().job_id}"
    text = (await stranger.get(SIGN_IN, params={"next": path})).text
    assert f'value="{path}"' in text
    answer = await stranger.post(SIGN_IN, data={"key": str(KEY), "next": path})
    assert answer.headers["location"] == f"/console{path}"


@pytest.mark.parametrize(
    "path",
    [
        *("", "//evil.example", "https://evil.example", "/score/../../v1", "/score\r\nx: y"),
        *("/score?x", "/score/", "/sign-out", "/score/" + "a" * 37, "/score\n"),
    ],
)
async def test_one_leads_nowhere_else(
    console: Console, stranger: httpx.AsyncClient, path: str
) -> None:
    assert not is_return(path)
    answer = await stranger.post(SIGN_IN, data={"key": str(KEY), "next": path})
    assert answer.headers["location"] == "/console/score"


async def test_signing_out_forgets_the_key(console: Console, browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/console/sign-out", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert 'quorum-key=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
