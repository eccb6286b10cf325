"""Merchant compromise: cards used at one shop within a few days are abused in later weeks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from data.generator import places
from data.generator.fraud_pattern import STEALTH, fraudulent_rows
from data.generator.genuine import DAY_MS, purchase_usd
from data.generator.population import Population
from data.generator.rows import CHANNEL, Rows

_LEAK_DAYS = 4
_ROWS_PER_CARD = 2.5


@dataclass(slots=True)
class _Leak:
    merchant: int
    closes: int
    cards: set[int] = field(default_factory=set)


class MerchantCompromise:
    """A shop leaks cards for a few days; then they are used elsewhere."""

    kind = "merchant_compromise"

    def __init__(self) -> None:
        self._leaks: list[_Leak] = []

    def episodes(
        self, world: Population, day: int, genuine: Rows, due: float, rng: Generator
    ) -> list[Rows]:
        for leak in self._leaks:
            leak.cards.update(genuine.customer[genuine.merchant == leak.merchant].tolist())
        closed = [leak for leak in self._leaks if leak.closes <= day]
        self._leaks = [leak for leak in self._leaks if leak.closes > day]
        found: list[Rows] = []
        for leak in closed:
            cards = rng.permutation(sorted(leak.cards))
            wanted = max(0, round(due / _ROWS_PER_CARD))
            for card in cards[: min(wanted, max(1, len(cards) * 3 // 5))]:
                found.append(self._abuse(world, int(card), day, rng))
                due -= len(found[-1])
        if due > 0 and len(self._leaks) < 1 + due / 60 and len(genuine):
            self._leaks.append(_Leak(self._leaky(genuine, rng), day + _LEAK_DAYS))
        return found

    def _leaky(self, genuine: Rows, rng: Generator) -> int:
        # The merchant of a random purchase: busy shops leak more often.
        merchants = genuine.merchant[genuine.merchant >= 0]
        return int(rng.choice(merchants)) if len(merchants) else 0

    def _abuse(self, world: Population, customer: int, day: int, rng: Generator) -> Rows:
        n, stealth = int(rng.integers(1, 5)), rng.random() < STEALTH
        begin = (day + 1) * DAY_MS + int(rng.exponential(4.0) * DAY_MS)
        at_ms = begin + np.cumsum(rng.integers(120_000, 20_000_000, n))
        rows = fraudulent_rows(world, self.kind, customer, at_ms, stealth, day, rng)
        if rng.random() < 0.4:
            self._in_a_shop(world, rows, stealth, rng)
        else:
            rows.merchant = world.merchants.selling_online(n, rng)
        times = 1.5 if stealth else 3.5
        rows.usd = times * purchase_usd(world, rows.customer, rows.merchant, rng)
        return rows

    def _in_a_shop(self, world: Population, rows: Rows, stealth: bool, rng: Generator) -> None:
        """Use a copied card at a point of sale, abroad unless in stealth."""
        if not stealth:
            rows.country[:] = int(rng.choice(len(places.CODES)))
        rows.merchant = world.merchants.near(rows.country, rng)
        rows.channel[:] = CHANNEL["pos"]
        rows.currency = rows.country.copy()
        rows.device[:] = rows.ip[:] = -1
        rows.latitude = world.merchants.latitude[rows.merchant]
        rows.longitude = world.merchants.longitude[rows.merchant]
