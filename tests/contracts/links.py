"""Replicas for tests of links, on this machine and on another one.

Addresses of 127.0.0.0/8 stand for machines: all of them are this one's, and different.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from deployments.links.link import Link
from deployments.links.names import pool_name, socket_path
from deployments.links.network.network import Network
from deployments.links.network.proof import Prover
from deployments.links.network.tls import Tls
from deployments.links.registry.interface import Entry
from deployments.links.server import LinkServer
from deployments.links.switchboard import Switchboard
from fraud.errors import InvalidInput
from tests.contracts.fake_registry import FakeRegistry
from tests.contracts.waiting import until

POOL = pool_name("app", "Pool")
PEPPER = "a pepper of tests"
CALLERS_MACHINE, REPLICAS_MACHINE = "127.0.0.1", "127.0.0.2"
PORTS = (40_000, 44_999)


class Place(Protocol):
    """Where replicas are, seen from their caller."""

    async def open(self, replica: Replica) -> None:
        """Let callers reach the replica."""

    def board(self) -> Switchboard:
        """Return links to replicas there, of no pool yet."""

    async def link(self, name: str) -> Link:
        """Return a link to the replica `name`."""


class Replica:
    """Answers with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.go_on = asyncio.Event()
        self.server = LinkServer(
            {
                **{"now": self.now, "later": self.later, "wrong": self.wrong},
                **{"odd": lambda rows: iter, "who": lambda: name},
            }
        )

    async def open(self, place: Place) -> None:
        await place.open(self)

    def now(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        return self.name, rows

    async def later(self, rows: list[int]) -> tuple[str, list[int]]:
        self.calls += 1
        await self.go_on.wait()
        return self.name, rows

    async def wrong(self, rows: list[int]) -> None:
        raise InvalidInput("no", (("/a", "b", "c"),))


class ThisMachine:
    """Replicas at sockets in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def open(self, replica: Replica) -> None:
        await replica.server.open(socket_path(self.folder, f"{POOL}~{replica.name}"))

    def board(self) -> Switchboard:
        return Switchboard(self.folder)

    async def link(self, name: str) -> Link:
        return await Link.to(socket_path(self.folder, f"{POOL}~{name}"))


class OtherMachine:
    """Replicas at ports of another machine."""

    def __init__(self, pepper: str = PEPPER, tls: Tls | None = None, proof_s: float = 2.0) -> None:
        self.registry = FakeRegistry()
        self.network = Network(
            REPLICAS_MACHINE, "n2", PORTS, Prover(pepper), tls, lambda: self.registry, proof_s
        )

    @property
    def callers(self) -> Network:
        """The network as the caller sees it."""
        return replace(self.network, address=CALLERS_MACHINE, node="n1")

    async def open(self, replica: Replica) -> None:
        name = f"{POOL}~{replica.name}"
        port = replica.server.listen(self.network, name)
        await self.registry.announce(Entry(name, REPLICAS_MACHINE, port, "n2"))

    def board(self) -> Switchboard:
        return Switchboard(None, self.callers)

    async def link(self, name: str) -> Link:
        return await Link.over(self.callers, await self.entry(name))

    async def entry(self, name: str) -> Entry:
        """The entry of the replica `name`."""
        found = {entry.name: entry for entry in await self.registry.entries()}
        return found[f"{POOL}~{name}"]


async def never(*_: Any) -> Any:
    raise AssertionError("the handle was used")


async def handle(*_: Any) -> str:
    return "handle"


async def board(place: Place, replicas: int = 1) -> Switchboard:
    """Links to `POOL`, as soon as there are so many."""
    switchboard = place.board()
    await switchboard.watch(POOL)
    await look(switchboard, replicas)
    return switchboard


async def look(switchboard: Switchboard, replicas: int) -> None:
    """Look for replicas until so many are linked."""
    await switchboard.look()
    await until(lambda: switchboard.size(POOL) == replicas)
