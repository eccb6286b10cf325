"""Genuine payments of a day."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data.generator import places
from data.generator.population import USUAL_USD, Population, addresses, devices_of
from data.generator.rows import CHANNEL, TYPE, Int64, Rows

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000

# Payments by local hour: in shops, then online.
_SHOP = np.array(
    [1, 0.5, 0.3, 0.2, 0.3, 1, 3, 6, 8, 8, 8, 10, 12, 10, 8, 8, 10, 12, 12, 9, 7, 5, 3, 2]
)
_NET = np.array([4, 2, 1, 0.7, 0.6, 1, 2, 4, 5, 6, 6, 6, 7, 7, 6, 6, 6, 7, 8, 10, 12, 12, 10, 7])
_SHOP_TO = np.cumsum(_SHOP) / _SHOP.sum()
_NET_TO = np.cumsum(_NET) / _NET.sum()
# Monday to Sunday.
_WEEK = np.array([0.92, 0.92, 0.95, 1.0, 1.16, 1.17, 0.88])

_TYPES = ("purchase", "payment", "transfer", "cash_out", "cash_in", "debit", "refund")
_TYPE_CODES = np.array([TYPE[t] for t in _TYPES])
_TYPE_TO = np.cumsum([0.71, 0.08, 0.10, 0.05, 0.02, 0.03, 0.01])
_PAY_DAY = 25


def genuine_day(world: Population, day: int, travel: Int64, rng: Generator) -> Rows:
    """Return the genuine payments of a day of UTC, in no order.

    Args:
        day: days since 1970.
        travel: int64[customers], the place where each one is travelling, -1 if at home.
    """
    weekday = (day + 3) % 7
    counts = rng.poisson(world.customers.rate * _WEEK[weekday])
    payers = np.repeat(np.arange(len(world.customers)), counts)
    rows = Rows.blank(len(payers))
    rows.customer = payers
    rows.type = _TYPE_CODES[np.searchsorted(_TYPE_TO[:-1], rng.random(len(payers)))]
    place = np.where(travel[payers] >= 0, travel[payers], world.customers.place[payers])
    rows.country = place.copy()
    rows.currency = world.customers.place[payers].copy()
    to_person = rows.type == TYPE["transfer"]
    cash = np.isin(rows.type, (TYPE["cash_out"], TYPE["cash_in"]))
    _transfers(world, rows, np.flatnonzero(to_person), rng)
    _cash(world, rows, np.flatnonzero(cash), rng)
    _purchases(world, rows, np.flatnonzero(~to_person & ~cash), travel, rng)
    rows.at_ms = _times(world, rows, place, day, rng)
    _set_devices(world, rows, day, rng)
    return Rows.concat([rows, _wages(world, day, rng)]) if _is_pay_day(day) else rows


def travel_places(world: Population, rng: Generator) -> Int64:
    """Return int64[customers]: the place where each one travels for a week; -1 for most."""
    n = len(world.customers)
    away = rng.random(n) < 0.03
    return np.where(away, rng.choice(len(places.CODES), n, p=places.SHARE), -1)


def purchase_usd(world: Population, customer: Int64, merchant: Int64, rng: Generator) -> np.ndarray:
    """Return float64[n]: what each customer would pay at each merchant."""
    usual = USUAL_USD[world.merchants.category[merchant]] * world.merchants.price[merchant]
    return usual * world.customers.spend[customer] * rng.lognormal(-0.1, 0.6, len(customer))


def _purchases(world: Population, rows: Rows, at: Int64, travel: Int64, rng: Generator) -> None:
    payers, n = rows.customer[at], len(at)
    slot = (rng.random(n) ** 1.5 * world.customers.habits.shape[1]).astype(np.int64)
    merchant = world.customers.habits[payers, slot]
    roam = rng.random(n)
    merchant = np.where(roam < 0.15, world.merchants.near(rows.country[at], rng), merchant)
    merchant = np.where(roam > 0.90, world.merchants.selling_online(n, rng), merchant)
    # Travellers buy in local shops or online.
    stranded = (travel[payers] >= 0) & ~world.merchants.online[merchant]
    merchant = np.where(stranded, world.merchants.near(rows.country[at], rng), merchant)
    online = world.merchants.online[merchant]
    rows.merchant[at] = merchant
    rows.usd[at] = purchase_usd(world, payers, merchant, rng)
    net = np.where(rng.random(n) < 0.55, CHANNEL["online"], CHANNEL["mobile"])
    rows.channel[at] = np.where(online, net, CHANNEL["pos"])
    shop = world.merchants.place[merchant]
    rows.country[at] = np.where(online, rows.country[at], shop)
    rows.currency[at] = np.where(~online | (rng.random(n) < 0.08), shop, rows.currency[at])
    rows.latitude[at] = np.where(online, np.nan, world.merchants.latitude[merchant])
    rows.longitude[at] = np.where(online, np.nan, world.merchants.longitude[merchant])


def _transfers(world: Population, rows: Rows, at: Int64, rng: Generator) -> None:
    payers, n = rows.customer[at], len(at)
    known = world.customers.payees[payers, rng.integers(0, world.customers.payees.shape[1], n)]
    new = rng.integers(0, world.counterparties, n)
    rows.counterparty[at] = np.where(rng.random(n) < 0.87, known, new)
    usd = rng.lognormal(4.6, 1.1, n) * world.customers.spend[payers]
    usd = np.where(rng.random(n) < 0.4, np.maximum(np.rint(usd / 10) * 10, 10), usd)
    # Some rents lie just under round sums too.
    rents = np.array([950.0, 980.0, 990.0, 995.0, 2900.0, 2950.0])[rng.integers(0, 6, n)]
    rows.usd[at] = np.where(rng.random(n) < 0.03, rents, usd)
    rows.channel[at] = np.array([CHANNEL["mobile"], CHANNEL["online"], CHANNEL["branch"]])[
        np.searchsorted([0.6, 0.95], rng.random(n))
    ]


def _cash(world: Population, rows: Rows, at: Int64, rng: Generator) -> None:
    payers, n = rows.customer[at], len(at)
    notes = np.maximum(1, rng.geometric(0.22, n)) * 20.0
    into = rows.type[at] == TYPE["cash_in"]
    rows.usd[at] = np.where(into, notes * rng.integers(1, 12, n), notes)
    rows.channel[at] = np.where(into & (rng.random(n) < 0.6), CHANNEL["branch"], CHANNEL["atm"])
    home = rows.country[at] == world.customers.place[payers]
    place = rows.country[at]
    north = np.where(home, world.customers.latitude[payers], places.LATITUDE[place])
    east = np.where(home, world.customers.longitude[payers], places.LONGITUDE[place])
    rows.latitude[at] = north + rng.normal(0, 0.05, n)
    rows.longitude[at] = east + rng.normal(0, 0.05, n)
    rows.currency[at] = place


def _times(world: Population, rows: Rows, place: Int64, day: int, rng: Generator) -> Int64:
    net = np.isin(rows.channel, (CHANNEL["online"], CHANNEL["mobile"]))
    at = rng.random(len(rows))
    hour = np.where(net, np.searchsorted(_NET_TO, at), np.searchsorted(_SHOP_TO, at))
    local = hour + rng.random(len(rows)) + world.customers.late_h[rows.customer]
    in_day = np.mod(local - places.AHEAD_H[place], 24.0) * _HOUR_MS
    return day * DAY_MS + np.minimum(in_day.astype(np.int64), DAY_MS - 1)


def _set_devices(world: Population, rows: Rows, day: int, rng: Generator) -> None:
    """Set devices, addresses and coordinates of online payments."""
    at = np.flatnonzero(np.isin(rows.channel, (CHANNEL["online"], CHANNEL["mobile"])))
    payers, n = rows.customer[at], len(at)
    rows.device[at] = devices_of(world.customers, payers, day, rng)
    at_home = (rows.channel[at] == CHANNEL["online"]) | (rng.random(n) < 0.5)
    abroad = rows.country[at] != world.customers.place[payers]
    home = world.customers.ip[payers]
    roaming = (home & ~0xFFFF) | rng.integers(0, 1 << 16, n)
    rows.ip[at] = np.where(at_home, home, roaming)
    rows.ip[at] = np.where(abroad, addresses(n, rng), rows.ip[at])
    seen = (rng.random(n) < 0.3) & ~abroad
    jitter = rng.normal(0, 0.08, (2, n))
    rows.latitude[at] = np.where(seen, world.customers.latitude[payers] + jitter[0], np.nan)
    rows.longitude[at] = np.where(seen, world.customers.longitude[payers] + jitter[1], np.nan)


def _is_pay_day(day: int) -> bool:
    month = np.datetime64(day, "D").astype("datetime64[M]")
    return (
        int((np.datetime64(day, "D") - month.astype("datetime64[D]")).astype(int)) + 1 == _PAY_DAY
    )


def _wages(world: Population, day: int, rng: Generator) -> Rows:
    """Wages: businesses pay many people at once, a fan-out that is not fraud."""
    employers = world.customers.business
    payers = np.repeat(employers, rng.integers(4, 14, len(employers)))
    n = len(payers)
    rows = Rows.blank(n)
    rows.customer = payers
    rows.type[:] = TYPE["transfer"]
    rows.channel[:] = CHANNEL["online"]
    rows.country = rows.currency = world.customers.place[payers]
    # The same people every month: their numbers follow from the employer's.
    rows.counterparty = (payers * 31 + np.arange(n) % 16 * 7) % world.counterparties
    rows.usd = rng.lognormal(7.4, 0.35, n)
    rows.device = devices_of(world.customers, payers, day, rng)
    rows.ip = world.customers.ip[payers]
    rows.at_ms = day * DAY_MS + 9 * _HOUR_MS + rng.integers(0, 2 * _HOUR_MS, n)
    return rows
