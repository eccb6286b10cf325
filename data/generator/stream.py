"""The generated world as a stream of days."""

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
from data.generator.genuine import DAY_MS, ordinary_day, travels
from data.generator.merchant_compromise import MerchantCompromise
from data.generator.population import Population, populate
from data.generator.rows import KINDS, Rows
from data.generator.structuring import Structuring
from data.generator.table import Namer

# Parts of the fraudulent rows.
_PARTS = {
    "card_testing": 0.30,
    "account_takeover": 0.30,
    "merchant_compromise": 0.25,
    "structuring": 0.15,
}
_PEOPLE, _TRAVEL, _LIFE, _CRIME, _DELAY = range(5)


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """What to generate.

    Attributes:
        customers: how many, >= 1.
        start_ms, end_ms: span, milliseconds since 1970, end exclusive.
        seed: any integer >= 0.
        fraud_share: part of the rows that is fraud, in [0, 0.5).
    """

    customers: int
    start_ms: int
    end_ms: int
    seed: int = 0
    fraud_share: float = 0.01

    def __post_init__(self) -> None:
        if self.customers < 1 or self.seed < 0:
            raise ValueError("customers must be at least 1, the seed at least 0")
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError("the span must end after it begins")
        if not 0 <= self.fraud_share < 0.5:
            raise ValueError("fraud_share must lie in [0, 0.5)")

    @property
    def tag(self) -> str:
        """Eight hex digits that ids begin with: two different worlds share no transaction id."""
        text = f"{self.customers}/{self.start_ms}/{self.end_ms}/{self.seed}/{self.fraud_share}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def generate(spec: GeneratorSpec) -> Iterator[pa.Table]:
    """The payments, a table a day of UTC, in order of time within and across tables.

    Columns: the canonical ones, then is_fraud, fraud_kind (what the generator had in mind: never a
    feature) and label_known_at. Memory grows with the customers and the rows of a day, not with
    the span.
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
        life = _life(spec, world, day)
        begun = _crimes(spec, world, patterns, due, day, life)
        pending = Rows.concat([pending, *begun])
        today = pending.at_ms < (day + 1) * DAY_MS
        rows = Rows.concat([life, pending.take(today)])
        pending = pending.take(~today)
        rows = rows.take((rows.at_ms >= spec.start_ms) & (rows.at_ms < spec.end_ms))
        rows = rows.take(np.argsort(rows.at_ms, kind="stable"))
        yield namer.table(rows, _random(spec, _DELAY, day))


def _life(spec: GeneratorSpec, world: Population, day: int) -> Rows:
    travel = travels(world, _random(spec, _TRAVEL, day // 7))
    return ordinary_day(world, day, travel, _random(spec, _LIFE, day))


def _crimes(
    spec: GeneratorSpec,
    world: Population,
    patterns: list[Pattern],
    due: dict[str, float],
    day: int,
    life: Rows,
) -> list[Rows]:
    """What begins today. `due` carries on what each kind is short of, or ahead by, in rows."""
    if spec.fraud_share == 0:
        return []
    wanted = len(life) * spec.fraud_share / (1 - spec.fraud_share)
    found: list[Rows] = []
    for i, pattern in enumerate(patterns):
        due[pattern.kind] += wanted * _PARTS[pattern.kind]
        rng = _random(spec, _CRIME + 10 * (i + 1), day)
        begun = pattern.episodes(world, day, life, due[pattern.kind], rng)
        due[pattern.kind] -= sum(len(rows) for rows in begun)
        found += begun
    return found


def _random(spec: GeneratorSpec, purpose: int, part: int) -> Generator:
    # A generator of its own for each purpose and day: no day depends on how others were cut.
    return np.random.Generator(np.random.PCG64([spec.seed, purpose, part]))
