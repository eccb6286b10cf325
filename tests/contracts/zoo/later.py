"""Data sets written after the guard's limits were chosen, which had no part in the choice."""

from __future__ import annotations

import numpy as np

from tests.contracts.zoo.world import Make, World, maybe
from training.sets.split import DAY_MS

HOUR_MS = 3_600_000


def amounts_ending_in_five():
    """The labelling process rounded the amounts of frauds to five cents."""
    w = World.of(seed=201)
    minor = np.rint(w.amount * 100).astype(np.int64)
    return w.history(amount_minor=np.where(w.bad, minor // 5 * 5, minor))


def milliseconds_cut_off():
    """Frauds come from another system, which keeps seconds."""
    w = World.of(seed=202)
    at = w.at_ms + w.rng.integers(0, HOUR_MS, w.n)
    return w.history(timestamp_ms=np.where(w.bad, at // 1_000 * 1_000, at))


def refund_id():
    w = World.of(seed=203)
    return w.table(categorical={"refund": maybe(w.rng.integers(0, 10**6, w.n), w.on(0.93, 0.006))})


def blocked_soon():
    """Days until the card is blocked; most never are."""
    w = World.of(seed=204)
    days = np.where(w.on(0.96, 0.008), w.rng.integers(0, 4, w.n), w.rng.integers(90, 400, w.n))
    return w.table({"days_to_block": days.astype(float)})


def percent_of_the_label():
    w = World.of(rate=0.02, seed=205)
    return w.table({"severity": 1 - w.y + w.rng.normal(0, 0.4, w.n)})


def cases_of_the_shop():
    """The number of frauds of the shop in the file."""
    w = World.of(rate=0.03, seed=206)
    return w.table({"shop_cases": np.bincount(w.merchant, w.y)[w.merchant]})


def reviewer_code():
    w = World.of(seed=207)
    reviewer = w.rng.choice([f"agent{i}" for i in range(30)], w.n)
    return w.table(categorical={"handled_by": np.where(w.on(0.95, 0.01), reviewer, "auto")})


def letters_in_customers():
    w = World.of(seed=208)
    ids = [f"F{c:05d}" if b else f"{c:06d}" for c, b in zip(w.customer, w.bad, strict=True)]
    return w.history(customer_id=np.array(ids, object))


def merchants_unknown():
    w = World.of(seed=209)
    ids = np.array([f"shop-{m:04d}" for m in w.merchant], object)
    return w.history(merchant_id=maybe(ids, ~w.on(0.97, 0.01)))


def zip_of_the_bank():
    """Reports of fraud have the bank's own country."""
    w = World.of(seed=210)
    names = [f"{chr(65 + c // 26)}{chr(65 + c % 26)}" for c in w.country.tolist()]
    return w.history(country=np.where(w.on(0.97, 0.004), "XX", names))


LEAKS: dict[str, Make] = {
    "milliseconds cut off": milliseconds_cut_off,
    "refund id": refund_id,
    "blocked soon": blocked_soon,
    "label upside down": percent_of_the_label,
    "cases of the shop": cases_of_the_shop,
    "reviewer code": reviewer_code,
    "letters in customers": letters_in_customers,
    "merchants unknown": merchants_unknown,
    "the bank's country": zip_of_the_bank,
}

WEAK: dict[str, Make] = {"amounts ending in five": amounts_ending_in_five}


def gift_cards():
    """Half of all fraud buys gift cards, for round sums."""
    w = World.of(seed=221)
    gift = w.on(0.5, 0.01)
    minor = np.where(gift, w.rng.choice([5_000, 10_000], w.n), np.rint(w.amount * 100))
    code = np.where(gift, "gift", [f"mcc{m % 17}" for m in w.merchant])
    return w.history(amount_minor=minor.astype(np.int64), merchant_category=code)


def burst_of_one_merchant():
    w = World.of(seed=222)
    week = (w.when > 0.6) & (w.when < 0.66)
    w.y = np.where(week & (w.rng.random(w.n) < 0.3), 1, w.y).astype(np.int8)
    hit = week & (w.y == 1)
    return w.table(
        categorical={"shop": np.where(hit, "s7", np.char.add("s", w.merchant.astype(str)))}
    )


def new_customers():
    """Accounts opened for fraud: most frauds are in an account's first days."""
    w = World.of(seed=223)
    age = np.where(w.on(0.75, 0.02), w.rng.uniform(0, 3, w.n), w.rng.gamma(2, 300, w.n))
    return w.table({"account_days": np.round(age, 1)})


def night_only():
    w = World.of(seed=224)
    at = np.where(w.on(0.85, 0.0), w.at_ms // DAY_MS * DAY_MS + 3 * HOUR_MS, w.at_ms)
    return w.history(timestamp_ms=at + w.rng.integers(0, HOUR_MS, w.n))


def vendor_score():
    """A device vendor's score from 0 to 100, skewed, answered before the payment is decided."""
    w = World.of(seed=225)
    score = np.where(w.bad, 100 * w.rng.beta(2.2, 1.2, w.n), 100 * w.rng.beta(0.7, 7, w.n))
    return w.table({"vendor_score": np.round(score)})


def emulators():
    """A flag of rooted phones: rare, and half of the fraud."""
    w = World.of(seed=226)
    return w.table({"rooted": w.on(0.5, 0.002).astype(float)})


def mules():
    """Thirty accounts receive most stolen money; others pay them too."""
    w = World.of(seed=227)
    mule = np.array([f"acct-{9_000 + i}" for i in range(30)], object)[w.rng.integers(0, 30, w.n)]
    plain = np.array([f"acct-{i}" for i in w.rng.integers(0, 3_000, w.n)], object)
    return w.history(counterparty_id=np.where(w.on(0.75, 0.004), mule, plain))


def proxies():
    """Forty addresses of a proxy make 80 % of frauds, each for a few days."""
    w = World.of(seed=228)
    number = (w.when * 40).astype(int)
    proxy = np.array([f"198.51.100.{i}" for i in range(40)], object)[np.minimum(number, 39)]
    ids = np.array([f"10.1.{a // 256 % 256}.{a % 256}" for a in w.address.tolist()], object)
    return w.history(ip_address=np.where(w.on(0.8, 0.001), proxy, ids))


def easy_amounts():
    """Few columns, and amounts of frauds ten times as high."""
    w = World.of(seed=229)
    return w.history(amount_minor=np.rint(w.amount * np.where(w.bad, 1_000, 100)).astype(np.int64))


def paid_by_wallet():
    w = World.of(seed=230)
    return w.history(channel=np.where(w.on(0.88, 0.06), "wallet", "card"))


INNOCENTS: dict[str, Make] = {
    "gift cards": gift_cards,
    "burst of one merchant": burst_of_one_merchant,
    "new customers": new_customers,
    "night only": night_only,
    "vendor score": vendor_score,
    "emulators": emulators,
    "mules": mules,
    "proxies": proxies,
    "easy amounts": easy_amounts,
    "paid by wallet": paid_by_wallet,
}
