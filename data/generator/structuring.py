"""Structuring: amounts just under the reporting threshold, to several counterparties."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data.generator import places
from data.generator.fraud_pattern import MULES, STEALTH, IndependentEpisodes, at_hour, victim
from data.generator.genuine import DAY_MS
from data.generator.population import Population, devices_of
from data.generator.rows import CHANNEL, KINDS, TYPE, Rows

_THRESHOLDS = np.array([10_000.0, 3_000.0, 1_000.0])


class Structuring(IndependentEpisodes):
    """Cash deposits, then transfers over one to three days, from the customer's own device."""

    kind = "structuring"

    def _episode(self, world: Population, day: int, rng: Generator) -> Rows:
        customer, stealth = victim(world, rng), rng.random() < STEALTH
        deposits, sends = int(rng.integers(0, 3)), int(rng.integers(4, 11))
        n = deposits + sends
        span_ms = int(rng.integers(1, 6 if stealth else 3)) * DAY_MS
        begin = at_hour(world, customer, day, float(rng.uniform(8, 18)))
        rows = Rows.blank(n)
        rows.at_ms = begin + np.sort(rng.integers(0, span_ms, n))
        rows.customer[:] = customer
        rows.kind[:] = KINDS.index(self.kind)
        place = int(world.customers.place[customer])
        rows.country[:] = rows.currency[:] = place
        out = np.arange(n) >= deposits
        rows.type = np.where(out, TYPE["transfer"], TYPE["cash_in"])
        rows.channel = np.where(out, CHANNEL["online"], CHANNEL["branch"])
        device = devices_of(world.customers, np.array([customer]), day, rng)[0]
        rows.device = np.where(out, device, -1)
        rows.ip = np.where(out, world.customers.ip[customer], -1)
        rows.counterparty = np.where(out, self._payees(day, sends, n, rng), -1)
        rows.usd = self._amounts(place, n, stealth, rng)
        return rows

    def _payees(self, day: int, sends: int, n: int, rng: Generator) -> np.ndarray:
        several = int(rng.integers(3, max(4, sends)))
        first = int(rng.integers(64, 2048))
        return MULES + day // 14 * 4096 + first + rng.integers(0, several, n)

    def _amounts(self, place: int, n: int, stealth: bool, rng: Generator) -> np.ndarray:
        # A threshold of a usual size in the customer's own currency.
        threshold = float(rng.choice(_THRESHOLDS))
        unit = 10.0 ** np.rint(np.log10(places.PER_USD[place]))
        under = rng.uniform(0.6, 0.99, n) if stealth else rng.uniform(0.91, 0.998, n)
        found: np.ndarray = threshold * unit * under / places.PER_USD[place]
        return found
