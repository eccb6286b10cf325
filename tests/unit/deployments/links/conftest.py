"""Event loops, a folder for links, and places where replicas are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.contracts.links import OtherMachine, Place, ThisMachine
from tests.contracts.run_folder import run_folder


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request) -> Callable[[Coroutine[Any, Any, None]], None]:
    return request.param


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders have names too long for sockets.
    with run_folder("links") as folder:
        yield folder


@pytest.fixture(params=["this-machine", "other-machine"])
def place(request, folder) -> Place:
    """What holds for links, whatever they go over."""
    return ThisMachine(folder) if request.param == "this-machine" else OtherMachine()
