"""The console and a browser without scripts that is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.contracts.console import KEY, Console


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path)


@pytest.fixture
async def browser(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as `acme`."""
    async with console.browser(KEY) as browser:
        yield browser


@pytest.fixture
async def stranger(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    """Not signed in."""
    async with console.browser() as browser:
        yield browser
