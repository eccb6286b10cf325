"""The customers, merchants and counterparties of the generated payments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from data.generator import places
from data.generator.rows import Float64, Int64

# name, dollars of a usual purchase, share that sells online, share of the merchants
CATEGORIES = (
    ("grocery", 38.0, 0.08, 18),
    ("restaurant", 27.0, 0.05, 14),
    ("fuel", 44.0, 0.0, 8),
    ("fashion", 62.0, 0.45, 9),
    ("electronics", 140.0, 0.6, 6),
    ("pharmacy", 21.0, 0.15, 6),
    ("transport", 14.0, 0.4, 8),
    ("travel", 260.0, 0.85, 4),
    ("entertainment", 24.0, 0.6, 6),
    ("digital", 7.5, 1.0, 6),
    ("gaming", 4.0, 1.0, 3),
    ("home", 85.0, 0.35, 5),
    ("health", 70.0, 0.1, 3),
    ("utilities", 75.0, 0.9, 2),
    ("jewellery", 310.0, 0.3, 1),
    ("gift_cards", 45.0, 0.7, 1),
)
USUAL_USD = np.array([c[1] for c in CATEGORIES])
_ONLINE = np.array([c[2] for c in CATEGORIES])
_SHARE = np.array([c[3] for c in CATEGORIES]) / sum(c[3] for c in CATEGORIES)

HABITS = 10
PAYEES = 5


@dataclass(frozen=True, slots=True)
class Merchants:
    """m merchants, sorted by place. `weight_to` is the cumulative sum of their popularity."""

    place: Int64
    category: Int64
    online: np.ndarray
    price: Float64
    latitude: Float64
    longitude: Float64
    weight_to: Float64
    online_ones: Int64

    def __len__(self) -> int:
        return len(self.place)

    def near(self, place: Int64, rng: Generator) -> Int64:
        """Return int64[n]: a merchant of each place, popular ones more often."""
        first = np.searchsorted(self.place, place, side="left")
        last = np.searchsorted(self.place, place, side="right") - 1
        lower = np.where(first > 0, self.weight_to[first - 1], 0.0)
        at = lower + rng.random(len(place)) * (self.weight_to[last] - lower)
        return np.clip(np.searchsorted(self.weight_to, at), first, last)

    def selling_online(self, n: int, rng: Generator) -> Int64:
        """Return int64[n]: merchants that sell online; the first ones more often."""
        at = (rng.random(n) ** 2 * len(self.online_ones)).astype(np.int64)
        return self.online_ones[at]


@dataclass(frozen=True, slots=True)
class Customers:
    """n customers.

    Attributes:
        place, latitude, longitude: home.
        spend: factor on usual amounts, around 1.
        rate: payments a day.
        late_h: hours by which their day is later than that of others.
        habits: int64[n, HABITS], usual merchants; payees: int64[n, PAYEES], counterparties.
        devices: how many they use, 1-3; phase: days by which their changes of device differ.
        ip: their address at home.
        business: int64[b], the customers that pay wages once a month.
    """

    place: Int64
    latitude: Float64
    longitude: Float64
    spend: Float64
    rate: Float64
    late_h: Float64
    habits: Int64
    payees: Int64
    devices: Int64
    phase: Int64
    ip: Int64
    business: Int64

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, slots=True)
class Population:
    """All parties. Counterparties and devices beyond these counts belong to fraudsters."""

    customers: Customers
    merchants: Merchants
    counterparties: int


def populate(n: int, rng: Generator) -> Population:
    """Return a population of n customers (n >= 1) with matching merchants and counterparties."""
    merchants = _merchants(max(80, n // 4), rng)
    counterparties = n // 2 + 50
    return Population(_customers(n, merchants, counterparties, rng), merchants, counterparties)


def addresses(n: int, rng: Generator) -> Int64:
    """Return int64[n]: public IPv4 addresses."""
    return rng.integers(11 << 24, 126 << 24, n)


def devices_of(customers: Customers, payers: Int64, day: int, rng: Generator) -> Int64:
    """Return int64[n]: a device of each payer on a day, replaced every 300 days."""
    slot = (rng.random(len(payers)) * customers.devices[payers]).astype(np.int64)
    generation = (day + customers.phase[payers] + 40 * slot) // 300 % 256
    return payers * 1024 + generation * 4 + slot


def _merchants(m: int, rng: Generator) -> Merchants:
    every = np.arange(len(places.CODES))  # each place has two shops or more
    more = rng.choice(len(places.CODES), m - 2 * len(every), p=places.SHARE)
    place = np.sort(np.concatenate([every, every, more]))
    category = rng.choice(len(CATEGORIES), m, p=_SHARE)
    online = rng.random(m) < _ONLINE[category]
    online[rng.integers(0, m, 5)] = True
    return Merchants(
        place=place,
        category=category,
        online=online,
        price=rng.lognormal(0.0, 0.35, m),
        latitude=places.LATITUDE[place] + rng.normal(0, 1.2, m),
        longitude=places.LONGITUDE[place] + rng.normal(0, 1.2, m),
        weight_to=np.cumsum(rng.pareto(1.3, m) + 0.05),
        online_ones=rng.permutation(np.flatnonzero(online)),
    )


def _customers(n: int, merchants: Merchants, counterparties: int, rng: Generator) -> Customers:
    place = rng.choice(len(places.CODES), n, p=places.SHARE)
    habits = merchants.near(np.repeat(place, HABITS), rng).reshape(n, HABITS)
    habits[:, -3:] = merchants.selling_online(3 * n, rng).reshape(n, 3)
    return Customers(
        place=place,
        latitude=places.LATITUDE[place] + rng.normal(0, 1.2, n),
        longitude=places.LONGITUDE[place] + rng.normal(0, 1.2, n),
        spend=rng.lognormal(0.0, 0.5, n),
        rate=np.clip(rng.gamma(2.0, 0.48, n), 0.03, 8.0),
        late_h=rng.normal(0.0, 1.2, n),
        habits=habits,
        payees=rng.integers(0, counterparties, (n, PAYEES)),
        devices=rng.integers(1, 4, n),
        phase=rng.integers(0, 300, n),
        ip=addresses(n, rng),
        business=np.flatnonzero(rng.random(n) < 0.004),
    )
