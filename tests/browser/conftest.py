"""A browser, and an app that it opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from tests.browser.chromium import browser
from tests.contracts.ports import free_ports
from tests.contracts.waiting import until


@pytest.fixture(scope="module")
def devtools() -> Iterator[str]:
    """The address of a browser's debugger."""
    with browser() as address:
        yield address


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI app, and return its URL."""
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
