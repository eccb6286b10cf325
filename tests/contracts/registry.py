"""The contract of every registry of links."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from deployments.links.registry.interface import FRESH_S, Entry, Registry

A = Entry("app~Pool~a", "10.0.0.1", 20_000, "n1")
B = Entry("app~Pool~b", "fd00::2", 20_999, "n2")


@dataclass(frozen=True)
class Subject:
    """A registry, and its clock.

    Attributes:
        registry: that is tested.
        pass_s: lets so many seconds pass.
    """

    registry: Registry
    pass_s: Callable[[float], Awaitable[None]]


async def check_that_entries_come_and_go(subject: Subject) -> None:
    registry = subject.registry
    assert await registry.entries() == []
    await registry.announce(B)
    await registry.announce(A)
    assert await registry.entries() == [A, B]
    moved = replace(A, port=20_001)
    await registry.announce(moved)
    assert await registry.entries() == [moved, B]
    await registry.withdraw(A.name)
    await registry.withdraw(A.name)
    assert await registry.entries() == [B]


async def check_that_only_fresh_entries_are_returned(subject: Subject) -> None:
    registry = subject.registry
    await registry.announce(A)
    await subject.pass_s(FRESH_S - 2)
    await registry.announce(B)
    assert await registry.entries() == [A, B]
    await subject.pass_s(3)
    assert await registry.entries() == [B]
    await registry.announce(A)
    assert await registry.entries() == [A, B]
