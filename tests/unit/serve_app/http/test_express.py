"""The lane that bypasses Serve."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serve_app.http import express
from serve_app.http.exchange import Head
from serve_app.http.express import ExpressLane, middlewares, open_lane
from tests.contracts.front import HEADERS, Front, payment


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    express._open.clear()
    yield
    express._open.clear()


async def through_serve(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"serve"})


def wrapped() -> Any:
    app: Any = through_serve
    for middleware in middlewares():
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    return app


async def test_where_no_lane_is_open_nothing_stands_around_serves_app() -> None:
    assert middlewares() == []


async def test_decisions_take_the_lane_and_the_rest_goes_serves_way() -> None:
    front = Front()
    front.app._adds_request_id = False
    open_lane(front.app.express)
    transport = httpx.ASGITransport(wrapped())
    async with httpx.AsyncClient(transport=transport, base_url="http://f", headers=HEADERS) as c:
        decided = await c.post("/v1/decisions", json=payment(), headers={"x-request-id": "mine"})
        batch = await c.post("/v1/decisions/batch", json={"transactions": [payment()] * 2})
        for path in ("/v1/decisions/x", "/v1/labels", "/-/healthz", "/"):
            assert (await c.get(path)).status_code == 299
        found = await c.get("/v1/decisions", headers={"x-request-id": "mine"})
        missing = await c.put("/v1/decisions")
    assert found.status_code == 200
    assert found.headers.get_list("x-request-id") == ["mine"]
    assert missing.status_code == 405
    assert decided.json()["transaction_id"] == "t-1"
    # Serve's middleware is inside the lane, so the app adds the id itself.
    assert decided.headers.get_list("x-request-id") == ["mine"]
    assert len(batch.json()["results"]) == 2
    assert batch.headers["x-request-id"]


async def test_whole_prefixes_take_the_lane() -> None:
    async def jobs(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 298, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    open_lane({}, {"/v1/jobs": jobs})
    transport = httpx.ASGITransport(wrapped())
    async with httpx.AsyncClient(transport=transport, base_url="http://f") as client:
        for path in ("/v1/jobs", "/v1/jobs/", "/v1/jobs/x/result"):
            assert (await client.get(path)).status_code == 298
        for path in ("/v1/jobsx", "/v1", "/-/healthz"):
            assert (await client.get(path)).status_code == 299


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["mine"], "mine"),
        (["a" * 300], None),
        (["two words"], None),
        (["first", "last"], "last"),
        ([], None),
    ],
)
async def test_serve_and_the_app_see_one_request_id(sent: list[str], kept: str | None) -> None:
    seen: list[list[bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([value for name, value in scope["headers"] if name == b"x-request-id"])
        await through_serve(scope, receive, send)

    transport = httpx.ASGITransport(ExpressLane(app, {}))
    headers = [("x-request-id", value) for value in sent]
    async with httpx.AsyncClient(transport=transport, base_url="http://f") as client:
        await client.get("/v1/decisions/x", headers=headers)
    [[request_id]] = seen
    assert len(request_id) <= 128
    assert kept is None or request_id == kept.encode()
    assert request_id.decode() == Head([(b"x-request-id", request_id)]).request_id


async def test_what_is_no_http_request_goes_serves_way() -> None:
    seen: list[str] = []

    async def serves(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    lane = ExpressLane(serves, {"/v1/decisions": never})
    for kind in ("websocket", "lifespan"):
        await lane({"type": kind, "path": "/v1/decisions"}, None, None)  # type: ignore[arg-type]
    assert seen == ["websocket", "lifespan"]


async def test_a_lane_of_another_loop_is_not_taken() -> None:
    async def opening() -> None:
        open_lane(Front().app.express)

    other = threading.Thread(target=lambda: asyncio.run(opening()))
    other.start()
    other.join()
    assert middlewares() == []


async def test_serve_takes_the_middlewares_from_the_function_that_its_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ray does not document this hook. Without it decisions go through Serve."""
    from ray.serve._private import http_util
    from ray.serve.config import HTTPOptions

    name = "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"
    monkeypatch.setattr(http_util, name, "serve_app.http.express:middlewares")
    open_lane({})
    options = http_util.configure_http_middlewares(HTTPOptions(middlewares=[]))
    assert [middleware.cls for middleware in options.middlewares] == [ExpressLane]
