"""A replica at a socket, for tests of links."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from deployments.links.names import pool_name, replica_name, socket_path
from deployments.links.server import LinkServer
from deployments.links.switchboard import Switchboard
from fraud.errors import InvalidInput

POOL = pool_name("app", "Pool")


class Replica:
    """Answers with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.go_on = asyncio.Event()
        self.server = LinkServer(
            {"now": self.now, "later": self.later, "wrong": self.wrong, "odd": lambda rows: iter}
        )

    async def open(self, folder: Path) -> None:
        await self.server.open(socket_path(folder, replica_name("app", "Pool", self.name)))

    def now(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        return self.name, rows

    async def later(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        await self.go_on.wait()
        return self.name, rows

    async def wrong(self, rows: list[int]) -> None:
        raise InvalidInput("no", (("/a", "b", "c"),))


async def never(*_: Any) -> Any:
    raise AssertionError("the handle was used")


async def handle(*_: Any) -> str:
    return "handle"


async def board(folder: Path | None) -> Switchboard:
    switchboard = Switchboard(folder)
    await switchboard.watch(POOL)
    return switchboard
