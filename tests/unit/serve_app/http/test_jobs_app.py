"""The app of jobs behind Serve and past it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from serve_app.http.express import ExpressLane
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.jobs_app import JobsApp
from tests.contracts.front import HEADERS
from tests.contracts.job_front import JobFront
from tests.unit.serve_app.http.test_traffic import value


@pytest.fixture
def front(tmp_path: Path) -> JobFront:
    return JobFront(tmp_path)


async def get(app: Any, path: str, **scope: Any) -> httpx.Response:
    async def with_scope(given: Any, receive: Any, send: Any) -> None:
        await app({**given, **scope}, receive, send)

    transport = httpx.ASGITransport(with_scope)
    async with httpx.AsyncClient(transport=transport, base_url="http://f", headers=HEADERS) as c:
        return await c.get(path, headers={"x-request-id": "mine"})


async def test_the_prefix_that_serve_names_stays_in_the_path(front: JobFront) -> None:
    for root in ("", PATH):
        answer = await get(front.app, PATH, root_path=root)
        assert (answer.status_code, answer.json()["jobs"]) == (200, [])


async def test_every_path_of_jobs_takes_the_lane_with_one_request_id(front: JobFront) -> None:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = JobsApp(front.services, adds_request_id=False)
    lane = ExpressLane(serve, {}, app.express)
    for path, status in ((PATH, 200), (f"{PATH}/x", 404), (f"{PATH}/x/result", 404)):
        answer = await get(lane, path)
        assert answer.status_code == status
        assert answer.headers.get_list("x-request-id") == ["mine"]
    for path in ("/-/healthz", f"{PATH}x", "/v1"):
        assert (await get(lane, path)).status_code == 299
    assert "x-request-id" not in (await get(app, PATH)).headers


async def test_requests_are_counted_by_route(front: JobFront) -> None:
    route = f"{PATH}/{{job_id}}/result"
    before = value("fraud_api_requests_total", route=route, status="404")
    await get(front.app, f"{PATH}/x/result")
    assert value("fraud_api_requests_total", route=route, status="404") == before + 1
