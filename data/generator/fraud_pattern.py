"""What the kinds of fraud have in common: their share of the rows, their victims, their tools."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
from numpy.random import Generator

from data.generator import places
from data.generator.genuine import DAY_MS
from data.generator.population import Population, addresses, devices_of
from data.generator.rows import CHANNEL, KINDS, TYPE, Int64, Rows

FOREIGN_DEVICES = 1 << 36
"""Devices from this number on belong to fraudsters."""

MULES = 1 << 36
"""Counterparties from this number on belong to fraudsters."""

STEALTH = 0.25
"""Share of the fraudsters who take pains to look like their victim."""


class Pattern(Protocol):
    """A kind of fraud."""

    kind: str

    def episodes(
        self, world: Population, day: int, life: Rows, due: float, rng: Generator
    ) -> list[Rows]:
        """What begins on this day: about `due` rows (float, may be < 0), at its time or later.

        Args:
            life: the genuine rows of the day.
        """


class IndependentEpisodes(ABC):
    """A pattern whose episodes know nothing of each other: as many begin as are due."""

    kind: str

    def episodes(
        self, world: Population, day: int, life: Rows, due: float, rng: Generator
    ) -> list[Rows]:
        """See `Pattern.episodes`."""
        found: list[Rows] = []
        while due > 0:
            found.append(self._episode(world, day, rng))
            due -= len(found[-1])
        return found

    @abstractmethod
    def _episode(self, world: Population, day: int, rng: Generator) -> Rows:
        """Rows of one victim, at least one."""


def victim(world: Population, rng: Generator) -> int:
    """A customer, active ones more often: fraud needs a card that is used."""
    picks = rng.integers(0, len(world.customers), 3)
    return int(picks[np.argmax(world.customers.rate[picks])])


def stolen(
    world: Population,
    kind: str,
    customer: int,
    at_ms: Int64,
    stealth: bool,
    day: int,
    rng: Generator,
) -> Rows:
    """Rows in a customer's name on the net, from a fraudster's device or in stealth from theirs."""
    n = len(at_ms)
    rows = Rows.blank(n)
    rows.at_ms = at_ms
    rows.customer[:] = customer
    rows.kind[:] = KINDS.index(kind)
    rows.type[:] = TYPE["purchase"]
    rows.channel[:] = CHANNEL["online"] if rng.random() < 0.7 else CHANNEL["mobile"]
    home = int(world.customers.place[customer])
    rows.currency[:] = home
    if stealth:
        rows.country[:] = home
        rows.device[:] = devices_of(world.customers, np.array([customer]), day, rng)[0]
        rows.ip[:] = (int(world.customers.ip[customer]) & ~0xFFFF) | int(rng.integers(0, 1 << 16))
        return rows
    far = rng.random() < 0.6
    rows.country[:] = int(rng.choice(len(places.CODES))) if far else home
    # A fraudster's machine serves for a month or so, with many names.
    rows.device[:] = FOREIGN_DEVICES + day // 30 * 1024 + int(rng.integers(0, 1024) // 8)
    rows.ip[:] = addresses(1, rng)[0]
    return rows


def at_hour(world: Population, customer: int, day: int, hour: float) -> int:
    """Time of a local hour of the customer's day, milliseconds since 1970, on that day of UTC."""
    ahead = float(places.AHEAD_H[world.customers.place[customer]])
    return day * DAY_MS + int((hour - ahead) % 24.0 * 3_600_000)
