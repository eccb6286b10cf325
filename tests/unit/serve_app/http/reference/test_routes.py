"""The pages and their files as a browser gets them, without a key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from serve_app.http.reference.assets import NAMES
from serve_app.http.reference.page import GUIDE_POLICY, VIEWER_POLICY
from tests.contracts.front import Front

PAGES = {"/docs": GUIDE_POLICY, "/docs/api": VIEWER_POLICY}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with Front().client({}) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_its_policy(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == PAGES[path]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", PAGES)
async def test_all_that_a_page_refers_to_is_there(client: httpx.AsyncClient, path: str) -> None:
    page = (await client.get(path)).text
    addresses = set(re.findall(r'(?:src|href)="(/[^"#]*)', page))
    assert "/docs/assets/page.css" in addresses
    for address in addresses:
        assert (await client.get(address)).status_code == 200, address


async def test_files_have_their_types_and_are_asked_for_again(client: httpx.AsyncClient) -> None:
    for name in NAMES:
        first = await client.get(f"/docs/assets/{name}")
        assert first.status_code == 200
        assert first.headers["cache-control"] == "no-cache"
        assert first.headers["x-content-type-options"] == "nosniff"
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}'):
            again = await client.get(f"/docs/assets/{name}", headers={"if-none-match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        changed = await client.get(f"/docs/assets/{name}", headers={"if-none-match": '"other"'})
        assert changed.content == first.content


@pytest.mark.parametrize(
    "name",
    [
        "",
        "page.py",
        "index.css",
        "../page.py",
        "..%2fpage.py",
        "%2e%2e%2fpage.py",
        "page.css/",
    ],
)
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(httpx.URL(f"http://front/docs/assets/{name}"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
