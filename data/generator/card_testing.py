"""Card testing: many tiny online purchases to see if a card works, then a large one."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data.generator.fraud_pattern import (
    STEALTH,
    IndependentEpisodes,
    at_hour,
    fraudulent_rows,
    victim,
)
from data.generator.population import Population
from data.generator.rows import Rows


class CardTesting(IndependentEpisodes):
    """Bursts at many merchants, minutes apart; in stealth, a few over a day."""

    kind = "card_testing"

    def _episode(self, world: Population, day: int, rng: Generator) -> Rows:
        customer, stealth = victim(world, rng), rng.random() < STEALTH
        tests = int(rng.integers(2, 5) if stealth else rng.integers(6, 16))
        hauls = int(rng.integers(1, 3))
        span_s = 36_000 if stealth else int(rng.integers(200, 2400))
        begin = at_hour(world, customer, day, rng.random() * 24.0)
        test_at = np.sort(rng.integers(0, span_s * 1000, tests))
        haul_at = test_at[-1] + np.cumsum(rng.integers(60_000, 10_800_000, hauls))
        rows = fraudulent_rows(
            world,
            self.kind,
            customer,
            begin + np.concatenate([test_at, haul_at]),
            stealth,
            day,
            rng,
        )
        rows.merchant = world.merchants.selling_online(tests + hauls, rng)
        spend = float(world.customers.spend[customer])
        haul = rng.lognormal(5.1 if stealth else 5.9, 0.6, hauls) * spend
        rows.usd = np.concatenate([rng.uniform(0.4, 4.0, tests), haul])
        return rows
