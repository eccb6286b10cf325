"""Whether memory grows with the number of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtests import closed_loop
from loadtests.bench.app import App
from loadtests.bench.rounds import say
from loadtests.memory import RoleMemory, memory_by_role
from loadtests.processes import STORES

STORE_ROLES = ("PostgreSQL", "Redis")
"""These store every decision, so they grow by design."""
CONNECTIONS = 128
_SLOWEST_PER_S = 100
assert len(STORES) == len(STORE_ROLES)


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory of all processes of a role, RSS in MiB."""

    role: str
    before_mib: float
    after_mib: float

    @property
    def growth_mib(self) -> float:
        """The growth."""
        return self.after_mib - self.before_mib


async def measure_growth(app: App, home: Path, decisions: int) -> list[Growth]:
    """Measure memory by role before and after `decisions` at `CONNECTIONS` connections.

    A tenth as many decisions come first and do not count, because caches fill and pools open.
    """
    await _decide(app, decisions // 10)
    before = memory_by_role(home)
    await _decide(app, decisions)
    return compare(before, memory_by_role(home))


def compare(before: Sequence[RoleMemory], after: Sequence[RoleMemory]) -> list[Growth]:
    """Return the growth of roles that are in both, in the order of `before`."""
    now = {memory.role: memory.rss_mib for memory in after}
    return [Growth(m.role, m.rss_mib, now[m.role]) for m in before if m.role in now]


def total_mib(growth: Sequence[Growth]) -> float:
    """Return the growth of everything but the stores."""
    return sum(g.growth_mib for g in growth if g.role not in STORE_ROLES)


async def _decide(app: App, decisions: int) -> None:
    longest_s = 60 + decisions / _SLOWEST_PER_S
    figures = await closed_loop.run_number(app.single(), CONNECTIONS, decisions, longest_s)
    say(f"{figures.answered:,} decisions for memory growth; {figures.failures or ''}")
