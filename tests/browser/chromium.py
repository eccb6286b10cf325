"""A headless Chromium, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from cluster.embedded import daemon
from tests.contracts.run_folder import run_folder
from tests.contracts.waiting import until

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
_STARTS_S = 60.0
_ANSWERS_S = 60.0


class Page:
    """One page of a browser.

    Attributes:
        complaints: errors and warnings in the console, uncaught exceptions and violations of the
            Content-Security-Policy, in the order they came.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.complaints: list[str] = []

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(answer, _ANSWERS_S)

    async def listen(self) -> None:
        """Read answers and events until the connection ends."""
        async for message in self._socket:
            event = json.loads(message.data)
            if "id" in event:
                self._answers.pop(event["id"]).set_result(event.get("result", event))
            else:
                self._note(event["method"], event["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        levels = ("error", "warning", "assert")
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in levels:
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in levels:
            self.complaints.append(json.dumps(params["entry"]))

    async def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        """Begin to load a page in a window of this size."""
        for domain in ("Page", "Runtime", "Log"):
            await self.send(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        await self.send("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; the page's policy does not apply to it."""
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        """Return once a JavaScript expression is truthy."""
        async with asyncio.timeout(_ANSWERS_S):
            while not await self.run(f"!!({condition})"):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)

    async def click(self, selector: str) -> None:
        """Wait for the element that a CSS selector finds, and click it."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(found)
        await self.run(f"{found}.click()")

    async def type(self, selector: str, text: str) -> None:
        """Wait for the input that a CSS selector finds, and type into it."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(found)
        await self.run(f"{found}.focus()")
        await self.send("Input.insertText", text=text)


@contextmanager
def browser() -> Iterator[str]:
    """Start a browser and return the address of its DevTools; it ends with the block."""
    assert PROGRAM is not None
    with run_folder("browser") as profile:
        process = daemon.spawn(
            [
                *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            ],
            cwd=profile,
            log=profile / "output.log",
            dies_with_us=signal.SIGTERM,
        )
        try:
            port_file = profile / "DevToolsActivePort"
            there = lambda: port_file.exists() and port_file.stat().st_size > 0  # noqa: E731
            asyncio.run(until(there, _STARTS_S))
            yield f"http://127.0.0.1:{port_file.read_text().split()[0]}"
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def page_of(devtools: str) -> AsyncIterator[Page]:
    """Open an empty page in a running browser; it is closed with the block."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{devtools}/json/new?about:blank") as response:
            tab = await response.json()
        async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            page = Page(socket)
            listener = asyncio.create_task(page.listen())
            yield page
            listener.cancel()
        async with session.get(f"{devtools}/json/close/{tab['id']}"):
            pass
