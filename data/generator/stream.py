"""Generated payments, day by day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from data.generator.account_takeover import AccountTakeover
from data.generator.card_testing import CardTesting
from data.generator.fraud_pattern import Pattern
from data.generator.genuine import DAY_MS, genuine_day, travel_places
from data.generator.merchant_compromise import MerchantCompromise
from data.generator.population import Population, populate
from data.generator.rows import KINDS, Rows
from data.generator.structuring import Structuring
from data.generator.table import Namer

# Shares of the fraudulent rows.
_SHARES = {
    "card_testing": 0.30,
    "account_takeover": 0.30,
    "merchant_compromise": 0.25,
    "structuring": 0.15,
}
_PEOPLE, _TRAVEL, _GENUINE, _FRAUD, _DELAY = range(5)


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """What to generate.

    Attributes:
        customers: how many, >= 1.
        start_ms, end_ms: period, milliseconds since 1970, end exclusive.
        seed: any integer >= 0.
        fraud_share: share of the rows that are fraud, in [0, 0.5).
    """

    customers: int
    start_ms: int
    end_ms: int
    seed: int = 0
    fraud_share: float = 0.01

    def __post_init__(self) -> None:
        if self.customers < 1 or self.seed < 0:
            raise ValueError("customers must be at least 1, and seed at least 0")
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError("the period must end after it begins")
        if not 0 <= self.fraud_share < 0.5:
            raise ValueError("fraud_share must be at least 0 and less than 0.5")

    @property
    def tag(self) -> str:
        """Eight hex digits that ids begin with: different specs share no transaction id."""
        text = f"{self.customers}/{self.start_ms}/{self.end_ms}/{self.seed}/{self.fraud_share}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def generate(spec: GeneratorSpec) -> Iterator[pa.Table]:
    """Yield the payments, one table a day of UTC, in order of time.

    Columns: the canonical ones, then is_fraud, fraud_kind (the truth: never a feature) and
    label_known_at. Memory grows with the customers and the rows of a day, not with the period.
    """
    world = populate(spec.customers, _random(spec, _PEOPLE, 0))
    namer = Namer(world, spec.tag)
    patterns: list[Pattern] = [
        CardTesting(),
        AccountTakeover(),
        MerchantCompromise(),
        Structuring(),
    ]
    due = dict.fromkeys(KINDS, 0.0)
    pending = Rows.blank(0)
    for day in range(spec.start_ms // DAY_MS, (spec.end_ms - 1) // DAY_MS + 1):
        genuine = _genuine_day(spec, world, day)
        begun = _new_fraud(spec, world, patterns, due, day, genuine)
        pending = Rows.concat([pending, *begun])
        today = pending.at_ms < (day + 1) * DAY_MS
        rows = Rows.concat([genuine, pending.take(today)])
        pending = pending.take(~today)
        rows = rows.take((rows.at_ms >= spec.start_ms) & (rows.at_ms < spec.end_ms))
        rows = rows.take(np.argsort(rows.at_ms, kind="stable"))
        yield namer.table(rows, _random(spec, _DELAY, day))


def _genuine_day(spec: GeneratorSpec, world: Population, day: int) -> Rows:
    travel = travel_places(world, _random(spec, _TRAVEL, day // 7))
    return genuine_day(world, day, travel, _random(spec, _GENUINE, day))


def _new_fraud(
    spec: GeneratorSpec,
    world: Population,
    patterns: list[Pattern],
    due: dict[str, float],
    day: int,
    genuine: Rows,
) -> list[Rows]:
    """The episodes that begin today. `due`: rows by which each kind is behind; ahead if < 0."""
    if spec.fraud_share == 0:
        return []
    wanted = len(genuine) * spec.fraud_share / (1 - spec.fraud_share)
    found: list[Rows] = []
    for i, pattern in enumerate(patterns):
        due[pattern.kind] += wanted * _SHARES[pattern.kind]
        rng = _random(spec, _FRAUD + 10 * (i + 1), day)
        begun = pattern.episodes(world, day, genuine, due[pattern.kind], rng)
        due[pattern.kind] -= sum(len(rows) for rows in begun)
        found += begun
    return found


def _random(spec: GeneratorSpec, purpose: int, part: int) -> Generator:
    # One random generator for each purpose and day: a day does not depend on the others.
    return np.random.Generator(np.random.PCG64([spec.seed, purpose, part]))
