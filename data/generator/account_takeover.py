"""Account takeover: a fraudster signs in and transfers the money."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data.generator.fraud_pattern import (
    MULES,
    STEALTH,
    IndependentEpisodes,
    at_hour,
    fraudulent_rows,
    victim,
)
from data.generator.population import Population
from data.generator.rows import TYPE, Rows


class AccountTakeover(IndependentEpisodes):
    """A new device and counterparty, an odd hour and high amounts within an hour or two."""

    kind = "account_takeover"

    def _episode(self, world: Population, day: int, rng: Generator) -> Rows:
        customer, stealth = victim(world, rng), rng.random() < STEALTH
        n = int(rng.integers(1, 4) if stealth else rng.integers(2, 7))
        odd = not stealth and rng.random() < 0.65
        hour = rng.uniform(0, 5) if odd else rng.uniform(8, 23)
        begin = at_hour(world, customer, day, float(hour))
        at_ms = begin + np.cumsum(rng.integers(40_000, 1_500_000, n))
        rows = fraudulent_rows(world, self.kind, customer, at_ms, stealth, day, rng)
        away = rng.random(n) < 0.75
        rows.type = np.where(away, TYPE["transfer"], TYPE["purchase"])
        # A mule receives from several accounts before it is detected.
        mule = MULES + day // 14 * 4096 + int(rng.integers(0, 60))
        rows.counterparty = np.where(away, mule, -1)
        rows.merchant = np.where(away, -1, world.merchants.selling_online(n, rng))
        level = 5.3 if stealth else 6.3
        rows.usd = rng.lognormal(level, 0.7, n) * float(world.customers.spend[customer])
        return rows
