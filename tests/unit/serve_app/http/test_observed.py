"""What stands around every app off the hot path."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect

from serve_app.gateway.errors import CallerGone
from serve_app.http.exchange import IS_HEAD, REQUEST_ID, ROUTE
from serve_app.http.observed import ObservedApp
from serve_app.http.traffic import Traffic
from tests.unit.serve_app.http.test_asgi import assert_problem
from tests.unit.serve_app.http.test_traffic import value


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what the scope says."""
    scope[ROUTE] = "/observed"
    told = f"{scope['method']} {scope[IS_HEAD]} {scope[REQUEST_ID]}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"told", told)]})
    await send({"type": "http.response.body", "body": b""})


async def asked(app: Any, method: str = "GET", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://f") as client:
        return await client.request(method, "/x", headers=headers)


def counted(status: str) -> float:
    return value("fraud_api_requests_total", route="/observed", status=status)


async def test_head_is_answered_like_get_and_the_app_knows() -> None:
    app = ObservedApp(answer, Traffic(), adds_request_id=True)
    assert (await asked(app, "GET", **{"x-request-id": "r"})).headers["told"] == "GET False r"
    assert (await asked(app, "HEAD", **{"x-request-id": "r"})).headers["told"] == "GET True r"


@pytest.mark.parametrize("adds", [True, False])
async def test_the_request_id_is_on_the_answer_where_nobody_else_adds_it(adds: bool) -> None:
    response = await asked(ObservedApp(answer, Traffic(), adds_request_id=adds))
    assert ("x-request-id" in response.headers) == adds


async def test_answers_are_counted_by_route_and_failures_are_problems() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        scope[ROUTE] = "/observed"
        raise KeyError("4111111111111111")

    before = counted("200"), counted("500")
    await asked(ObservedApp(answer, Traffic(), adds_request_id=True))
    response = await asked(ObservedApp(fails, Traffic(), adds_request_id=True))
    assert_problem(response, 500, "internal")
    assert "4111" not in response.text
    assert (counted("200"), counted("500")) == (before[0] + 1, before[1] + 1)


async def test_a_failure_in_the_middle_of_an_answer_sends_nothing_more() -> None:
    sent: list[str] = []

    async def breaks(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise OSError("the file is gone")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    await ObservedApp(breaks, Traffic(), adds_request_id=True)(scope, None, send)  # type: ignore[arg-type]
    assert sent == ["http.response.start"]


async def test_who_has_left_gets_no_answer() -> None:
    async def gone(scope: Any, receive: Any, send: Any) -> None:
        raise CallerGone

    async def send(message: Any) -> None:
        raise AssertionError("there is nobody")

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    await ObservedApp(gone, Traffic(), adds_request_id=True)(scope, None, send)  # type: ignore[arg-type]


@pytest.mark.parametrize(("error", "noted"), [(EOFError(), True), (ClientDisconnect(), False)])
async def test_an_answer_that_breaks_off_is_noted(
    caplog: pytest.LogCaptureFixture, error: Exception, noted: bool
) -> None:
    async def breaks(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    with contextlib.suppress(AssertionError):  # the transport misses the end
        await asked(ObservedApp(breaks, Traffic(), adds_request_id=True), **{"x-request-id": "r"})
    assert ("request r: EOFError" in caplog.text) == noted
    assert bool(caplog.records) == noted
