"""The application `console` on a real Ray node behind HAProxy, with a real PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from cluster import api_keys
from cluster.node.node import Node
from tests.contracts.front import PEPPER
from tests.contracts.waiting import until

FILE = b"montant,pays,client\n" + b"".join(b"%d.50,FR,c-%d\n" % (i, i % 9) for i in range(200))


@pytest.fixture(scope="module")
def address(node: Node, database_url: str, redis_url: str) -> str:
    """The URL of the running console, which has the settings of the node."""
    from ray import serve

    from serve_app.console.app import build

    (node.home / "settings.env").write_text(
        f"DATABASE_URL={database_url}\nREDIS_URL={redis_url}\nQUORUM_KEY_PEPPER={PEPPER}\n"
    )
    serve.start(http_options={"host": "127.0.0.1", "port": node.http_port})
    serve.run(build({}), name="console", route_prefix="/console")
    url = f"http://127.0.0.1:{node.http_port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/console/sign-in", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    asyncio.run(until(answers, 60))
    return url


@pytest.fixture(scope="module")
def browser(address: str, database_url: str) -> Iterator[httpx.Client]:
    """A browser that has signed in."""

    async def make() -> str:
        connection = await asyncpg.connect(database_url)
        made = await api_keys.create(
            connection, PEPPER, tenant="acme", name="test", scopes=("jobs",)
        )
        await connection.close()
        return str(made["key"])

    with httpx.Client(base_url=address, headers={"origin": address}, timeout=60) as browser:
        answer = browser.post("/console/sign-in", data={"key": asyncio.run(make())})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/score")
        yield browser


def fields(page: httpx.Response) -> dict[str, Any]:
    (token,) = set(re.findall(r'name="token" value="([0-9a-f]{64})"', page.text))
    return {"token": token}


def test_pages_and_their_files_come_through(browser: httpx.Client) -> None:
    page = browser.get("/console/score", headers={"x-request-id": "mine-1"})
    assert page.status_code == 200, page.text
    assert "Files of acme" in page.text
    assert page.headers.get_list("x-request-id") == ["mine-1"]
    for path in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page.text):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/console").headers["location"] == "/console/score"


def test_an_error_is_a_page(browser: httpx.Client) -> None:
    answer = browser.get("/console/score/019caa6a-f000-7c11-9d0e-000000000001")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert answer.headers["content-security-policy"]


def test_a_file_is_matched(browser: httpx.Client) -> None:
    page = browser.get("/console/score")
    files = {"file": ("paiements.csv", FILE)}
    answer = browser.post("/console/score", data=fields(page), files=files)
    # There is no reference to match against.
    assert answer.status_code == 422, answer.text
    assert "There is nothing to match against" in answer.text


def test_a_file_that_is_none_is_told(browser: httpx.Client) -> None:
    page = browser.get("/console/score")
    files = {"file": ("empty.csv", b"")}
    answer = browser.post("/console/score", data=fields(page), files=files)
    assert answer.status_code == 422, answer.text
    assert 'id="upload"' in answer.text
