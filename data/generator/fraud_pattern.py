"""What all kinds of fraud share: their victims, devices and addresses."""

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
"""Share of fraudsters who imitate their victim."""


class Pattern(Protocol):
    """A kind of fraud."""

    kind: str

    def episodes(
        self, world: Population, day: int, genuine: Rows, due: float, rng: Generator
    ) -> list[Rows]:
        """Return the episodes that begin on this day; their rows may lie later.

        Args:
            genuine: the genuine rows of the day.
            due: how many rows are wanted; may be negative.
        """


class IndependentEpisodes(ABC):
    """A pattern whose episodes do not depend on each other: as many begin as are due."""

    kind: str

    def episodes(
        self, world: Population, day: int, genuine: Rows, due: float, rng: Generator
    ) -> list[Rows]:
        """See `Pattern.episodes`."""
        found: list[Rows] = []
        while due > 0:
            found.append(self._episode(world, day, rng))
            due -= len(found[-1])
        return found

    @abstractmethod
    def _episode(self, world: Population, day: int, rng: Generator) -> Rows:
        """Return rows of one victim, at least one."""


def victim(world: Population, rng: Generator) -> int:
    """Choose a customer, active ones more often: fraud needs a card that is in use."""
    picks = rng.integers(0, len(world.customers), 3)
    return int(picks[np.argmax(world.customers.rate[picks])])


def fraudulent_rows(
    world: Population,
    kind: str,
    customer: int,
    at_ms: Int64,
    stealth: bool,
    day: int,
    rng: Generator,
) -> Rows:
    """Return online purchases in a customer's name, from a fraudster's device, or in stealth from
    the customer's."""
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
    # Fraudsters use a device for about a month, for many victims.
    rows.device[:] = FOREIGN_DEVICES + day // 30 * 1024 + int(rng.integers(0, 1024) // 8)
    rows.ip[:] = addresses(1, rng)[0]
    return rows


def at_hour(world: Population, customer: int, day: int, hour: float) -> int:
    """Return the time of a local hour of the customer, milliseconds since 1970, on a day of UTC."""
    ahead = float(places.AHEAD_H[world.customers.place[customer]])
    return day * DAY_MS + int((hour - ahead) % 24.0 * 3_600_000)
