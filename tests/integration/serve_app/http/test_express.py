"""The express lane on the HTTP server that Serve runs: nothing that Serve does around a request
is missing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn

from serve_app.http.express import ExpressLane
from tests.contracts.front import HEADERS, Front, payment, probability_of
from tests.contracts.waiting import until


@asynccontextmanager
async def served(front: Front) -> AsyncIterator[tuple[uvicorn.Server, asyncio.Task[None], str]]:
    """The app on a free port, served like in `ray.serve._private.http_util`."""

    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    app = ExpressLane(nobody, front.app.express)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            lambda: app, factory=True, lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        running = asyncio.ensure_future(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield server, running, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


class Gate:
    """Blocks the combiner."""

    def __init__(self, front: Front) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()
        front.combiner.gate = self._wait

    async def _wait(self) -> None:
        self.entered.set()
        await self.opened.wait()


async def post(url: str, name: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers=HEADERS) as client:
        return await client.post("/v1/decisions", json=payment(transaction_id=name))


async def test_what_is_in_flight_is_answered_before_the_server_ends() -> None:
    front = Front()
    gate = Gate(front)
    async with served(front) as (server, running, url):
        asked = asyncio.ensure_future(post(url, "t-1"))
        await until(gate.entered.is_set)
        server.should_exit = True  # how Serve begins to drain a replica
        await asyncio.sleep(0.3)
        assert not running.done()
        gate.opened.set()
        response = await asked
        assert response.status_code == 200
        assert response.json()["probability"] == probability_of("t-1")


async def test_a_client_that_hangs_up_does_not_stop_the_batch_it_travels_in() -> None:
    front = Front(lanes=1)
    gate = Gate(front)
    async with served(front) as (_, _, url):
        first = asyncio.ensure_future(post(url, "t-0"))
        await until(gate.entered.is_set)
        leaver = asyncio.ensure_future(post(url, "leaver"))
        stayer = asyncio.ensure_future(post(url, "stayer"))
        await until(lambda: front.gateway.queued_rows == 2)
        gate.opened.set()
        gate.opened = asyncio.Event()
        await until(lambda: len(front.combiner.calls) == 2)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        gate.opened.set()
        assert (await first).json()["transaction_id"] == "t-0"
        assert (await stayer).json()["transaction_id"] == "stayer"
    assert sorted(front.combiner.calls[1]) == ["leaver", "stayer"]
    assert len(front.combiner.calls) == 2


async def test_a_client_that_hung_up_while_it_waited_is_not_decided_on() -> None:
    front = Front(lanes=1)
    gate = Gate(front)
    async with served(front) as (server, _, url):
        first = asyncio.ensure_future(post(url, "t-0"))
        await until(gate.entered.is_set)
        leaver = asyncio.ensure_future(post(url, "leaver"))
        stayer = asyncio.ensure_future(post(url, "stayer"))
        await until(lambda: front.gateway.queued_rows == 2)
        leaver.cancel()
        await until(lambda: len(server.server_state.connections) == 2)
        gate.opened.set()
        assert (await first).json()["transaction_id"] == "t-0"
        assert (await stayer).json()["transaction_id"] == "stayer"
    assert front.combiner.calls == [["t-0"], ["stayer"]]
