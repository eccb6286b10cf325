"""Data sets with strong signals that are known at the decision. None of them is refused."""

from __future__ import annotations

import numpy as np

from tests.contracts.zoo.world import Make, World, maybe
from training.sets.split import DAY_MS

HOUR_MS = 3_600_000


def plain_table():
    return World.of(seed=101).table()


def plain_history():
    return World.of(seed=102).history()


def velocity():
    """Card testing: many payments within an hour."""
    w = World.of(seed=103)
    burst = w.on(0.7, 0.0)
    return w.table({"payments_10min": w.rng.poisson(np.where(burst, 8, 0.8)).astype(float)})


def high_amounts():
    w = World.of(seed=104)
    amount = np.round(w.rng.lognormal(3 + 2.0 * w.y, 1), 2) + 0.01
    return w.table({"amount": amount})


def one_country():
    w = World.of(seed=105)
    return w.table(categorical={"country": np.where(w.on(0.65, 0.015), "XX", "DE")})


def new_device_at_night():
    w = World.of(seed=106)
    at = np.where(w.on(0.8, 0.0), w.at_ms // DAY_MS * DAY_MS + 3 * HOUR_MS, w.at_ms)
    at = at + w.rng.integers(0, HOUR_MS, w.n)
    fresh = w.on(0.8, 0.03)
    ids = [
        f"dev-{(10**7 + i if f else d):08x}"
        for i, (d, f) in enumerate(zip(w.device, fresh, strict=True))
    ]
    return w.history(timestamp_ms=at, device_id=np.array(ids, object))


def new_device_flag():
    w = World.of(seed=107)
    hour = np.where(w.on(0.75, 0.02), 3, (w.at_ms // HOUR_MS) % 24)
    return w.table({"new_device": w.on(0.8, 0.03).astype(float), "hour": hour.astype(float)})


def bots_address():
    """One bot's address makes 60 % of frauds, within three of seventeen weeks."""
    w = World.of(seed=108)
    inside = (w.when > 0.4) & (w.when < 0.58)
    w.y = np.where(inside & (w.rng.random(w.n) < 0.08), 1, w.y * (w.rng.random(w.n) < 0.8))
    w.y = w.y.astype(np.int8)
    ids = [f"10.1.{a // 256 % 256}.{a % 256}" for a in w.address.tolist()]
    bot = inside & (w.y == 1)
    return w.history(ip_address=np.where(bot, "203.0.113.9", np.array(ids, object)))


def compromised_merchant():
    w = World.of(seed=109)
    month = (w.when > 0.5) & (w.when < 0.75)
    taken = w.bad & month & (w.rng.random(w.n) < 0.9)
    return w.history(
        merchant_id=np.where(taken, "shop-0003", [f"shop-{m:04d}" for m in w.merchant])
    )


def risk_of_merchants_point_in_time():
    """Share of fraud among the labels known at the payment: none on the first day."""
    w = World.of(n=20_000, rate=0.03, seed=110)
    hot = np.isin(w.merchant, (1, 2, 3))
    w.y = np.where(hot & (w.rng.random(w.n) < 0.2), 1, w.y).astype(np.int8)
    known, bad = np.zeros(400), np.zeros(400)
    waiting: list[tuple[int, int, int]] = []
    rate = np.zeros(w.n)
    for i, (m, t, y) in enumerate(
        zip(w.merchant.tolist(), w.at_ms.tolist(), w.y.tolist(), strict=True)
    ):
        while waiting and waiting[0][0] <= t:
            _, merchant, fraud = waiting.pop(0)
            known[merchant] += 1
            bad[merchant] += fraud
        rate[i] = (bad[m] + 0.03) / (known[m] + 1)
        waiting.append((t + 7 * DAY_MS, m, y))
    return w.table({"shop_risk": rate})


def earlier_model():
    """The score of a model that is served already: strong, and right more often when it is high."""
    w = World.of(seed=111)
    truth = 1 / (1 + np.exp(-(w.rng.gumbel(-3, 1, w.n) + 3.2 * w.y * w.rng.beta(2, 1, w.n) * 1.6)))
    return w.table({"score": np.round(truth, 3)})


def bot_at_all_times():
    """The same bot all year long, in a table of addresses."""
    w = World.of(seed=121)
    ids = np.array([f"10.1.{a // 256 % 256}.{a % 256}" for a in w.address.tolist()], object)
    return w.table(categorical={"ip": np.where(w.on(0.6, 0.0), "203.0.113.9", ids)})


def bot_in_a_history():
    w = World.of(n=60_000, rate=0.004, seed=122)
    ids = np.array([f"10.1.{a // 256 % 256}.{a % 256}" for a in w.address.tolist()], object)
    return w.history(ip_address=np.where(w.on(0.6, 0.0), "203.0.113.9", ids))


def all_online():
    """Thieves have card numbers but no cards: all fraud is online, and a quarter of the rest."""
    w = World.of(seed=123)
    return w.history(channel=np.where(w.on(1.0, 0.25), "online", "pos"))


def device_only_online():
    w = World.of(seed=124)
    ids = np.array([f"dev-{d:08x}" for d in w.device], object)
    return w.history(device_id=maybe(ids, w.on(0.98, 0.25)))


def far_away():
    w = World.of(seed=125)
    km = np.where(w.on(0.8, 0.02), w.rng.lognormal(7, 1, w.n), w.rng.lognormal(1, 1.2, w.n))
    return w.table({"km_from_last": km})


def missing_more_often():
    w = World.of(seed=126)
    return w.table({"phone_age": np.where(w.on(0.6, 0.08), np.nan, w.rng.gamma(2, 400, w.n))})


def country_of_a_ring():
    """A ring abroad, for two months."""
    w = World.of(seed=127)
    abroad = (w.when > 0.3) & (w.when < 0.8) & w.on(0.95, 0.005)
    names = [f"{chr(65 + c // 26)}{chr(65 + c % 26)}" for c in w.country.tolist()]
    return w.history(country=np.where(abroad, "ZZ", names))


def round_amounts():
    w = World.of(seed=128)
    amount = np.where(w.on(0.6, 0.1), np.ceil(w.amount / 50) * 50, w.amount)
    return w.history(amount_minor=np.rint(amount * 100).astype(np.int64))


def device_farm():
    """Eight devices make 70 % of frauds."""
    w = World.of(seed=129)
    farm = np.array([f"farm-{i}" for i in range(8)], object)[w.rng.integers(0, 8, w.n)]
    ids = np.array([f"dev-{d:08x}" for d in w.device], object)
    return w.history(device_id=np.where(w.on(0.7, 0.0), farm, ids))


def tiny_amounts():
    """Cards are tested with cents, in waves."""
    w = World.of(seed=130)
    wave = (w.when * 12).astype(int) % 3 == 0
    amount = np.where(w.on(0.9, 0.001) & wave, np.round(w.rng.uniform(0.5, 2, w.n), 2), w.amount)
    return w.table({"amount": amount})


def few_frauds():
    """Forty frauds are weak evidence."""
    w = World.of(n=20_000, rate=0.002, seed=131)
    return w.table({"payments_10min": w.rng.poisson(1 + 4 * w.y).astype(float)})


def two_strong_columns():
    """An easy problem: each of two columns finds much of the fraud."""
    w = World.of(seed=132)
    hidden = w.rng.normal(0, 1, w.n) + 2.4 * w.y
    return w.table(
        {
            "distance_score": hidden + w.rng.normal(0, 0.5, w.n) * (1 + w.y),
            "speed_score": np.exp(0.6 * (hidden + w.rng.normal(0, 0.6, w.n))),
        }
    )


def stolen_accounts():
    """A tenth of the accounts are taken over after honest payments."""
    w = World.of(n=30_000, rate=0.0, seed=133)
    taken = np.isin(w.customer, w.rng.choice(1_500, 120, replace=False))
    w.y = (taken & (w.when > 0.5) & (w.rng.random(w.n) < 0.35)).astype(np.int8)
    return w.history()


TUNING: dict[str, Make] = {
    "plain table": plain_table,
    "plain history": plain_history,
    "velocity": velocity,
    "high amounts": high_amounts,
    "one country": one_country,
    "new device at night": new_device_at_night,
    "new device flag": new_device_flag,
    "a bot's address": bots_address,
    "compromised merchant": compromised_merchant,
    "risk point in time": risk_of_merchants_point_in_time,
    "an earlier model": earlier_model,
}
"""The guard's limits were chosen with these."""

HELD_OUT: dict[str, Make] = {
    "a bot at all times": bot_at_all_times,
    "a bot in a history": bot_in_a_history,
    "all online": all_online,
    "device only online": device_only_online,
    "far away": far_away,
    "missing more often": missing_more_often,
    "country of a ring": country_of_a_ring,
    "round amounts": round_amounts,
    "device farm": device_farm,
    "tiny amounts": tiny_amounts,
    "few frauds": few_frauds,
    "two strong columns": two_strong_columns,
    "stolen accounts": stolen_accounts,
}
"""The limits are tested with these."""
