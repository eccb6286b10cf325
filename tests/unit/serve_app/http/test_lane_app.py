from __future__ import annotations

from typing import Any

import httpx
import pytest

from serve_app.http.exchange import REQUEST_ID
from serve_app.http.lane_app import LaneApp


def placed(scope: dict[str, Any]) -> dict[str, Any]:
    return {**scope, "path": scope["path"].removeprefix("/x") or "/"}


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the path of the scope; note a lifespan."""
    if scope["type"] == "lifespan":
        scope["seen"].append(scope["type"])
        return
    headers = [(b"told", scope["path"].encode()), (b"own", scope[REQUEST_ID].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def asked(app: Any, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://f") as client:
        return await client.get(path)


@pytest.mark.parametrize("adds", [True, False])
async def test_both_ways_in_give_the_same_place_and_an_id(adds: bool) -> None:
    app = LaneApp(answer, "/x", placed, adds_request_id=adds)
    by_serve, by_lane = await asked(app, "/x/7"), await asked(app.express["/x"], "/x/7")
    assert by_serve.headers["told"] == by_lane.headers["told"] == "/7"
    assert by_serve.headers["own"] != by_lane.headers["own"]
    # On the lane nobody else puts the id on the answer.
    assert by_lane.headers["x-request-id"] == by_lane.headers["own"]
    assert ("x-request-id" in by_serve.headers) == adds


async def test_only_its_prefix_takes_the_lane() -> None:
    assert list(LaneApp(answer, "/x", placed, adds_request_id=True).express) == ["/x"]


async def test_the_lifespan_reaches_the_app() -> None:
    seen: list[str] = []
    app = LaneApp(answer, "/x", placed, adds_request_id=True)
    await app({"type": "lifespan", "seen": seen}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
