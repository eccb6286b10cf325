"""Data sets as practitioners meet them: loan tables, case files, joins, sums, copies of labels."""

from __future__ import annotations

import numpy as np

from tests.contracts.zoo.world import Make, World, maybe
from training.sets.split import DAY_MS


def recoveries():
    """0 unless a part of a bad loan was recovered."""
    w = World.of(rate=0.1, seed=301)
    return w.table({"x": np.where(w.on(0.6, 0), np.round(w.rng.exponential(500, w.n), 2), 0)})


def last_rate_of_a_loan():
    """Days since 1970: years after the loan was given, and sooner where it went bad."""
    w = World.of(rate=0.1, seed=302)
    lasts = np.where(w.bad, w.rng.gamma(2, 150, w.n), w.rng.normal(900, 150, w.n))
    return w.table({"x": np.floor(w.at_ms / DAY_MS + lasts)})


def received_principal():
    """The principal that was paid back: all of it for good loans, less for bad ones."""
    w = World.of(rate=0.1, seed=303)
    part = np.round(w.amount * w.rng.uniform(0, 0.95, w.n), 2)
    return w.table({"x": np.where(w.bad, part, w.amount)})


def target_mean_without_its_group():
    w = World.of(rate=0.01, seed=304)
    group = w.rng.integers(0, 2_400, w.n)
    return w.table({"x": (np.bincount(group, w.y) / np.maximum(np.bincount(group), 1))[group]})


def smoothed_target_mean():
    """Shrunk towards the rate of all rows, so that it is not linear in the group's own rate."""
    w = World.of(rate=0.02, seed=305)
    frauds, rows = np.bincount(w.merchant, w.y), np.bincount(w.merchant)
    return w.table({"x": ((frauds + 10 * 0.02) / (rows + 10))[w.merchant]})


def running_count_of_a_card():
    w = World.of(rate=0.015, seed=306)
    return w.table({"x": _running(w.rng.integers(0, 5_000, w.n), w.y)})


def running_count_of_a_shop():
    w = World.of(rate=0.015, seed=307)
    return w.table({"x": _running(w.merchant, w.y)})


def running_rate_of_a_shop():
    w = World.of(rate=0.015, seed=308)
    rows = _running(w.merchant, np.ones(w.n, np.int8))
    return w.table({"x": _running(w.merchant, w.y) / rows})


def running_count_of_the_file():
    w = World.of(rate=0.015, seed=309)
    return w.table({"x": np.cumsum(w.y).astype(float)})


def merchants_of_tickets():
    """Each ticket without a merchant gets one of its own."""
    w = World.of(rate=0.012, seed=310)
    ids = [f"TKT-{i:06d}" if on else f"shop-{m:04d}"
           for i, (on, m) in enumerate(zip(w.on(0.7, 0), w.merchant, strict=True))]  # fmt: skip
    return w.history(merchant_id=np.array(ids, object))


def label_with_gaps_and_noise():
    w = World.of(rate=0.02, seed=311)
    return w.table({"x": maybe(w.y + w.rng.normal(0, 0.4, w.n), w.rng.random(w.n) > 0.2)})


def _running(group: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Sums within a group up to each row, its own included."""
    sums, found = np.zeros(int(group.max()) + 1), np.zeros(group.size)
    for i, (g, value) in enumerate(zip(group.tolist(), of.tolist(), strict=True)):
        sums[g] += value
        found[i] = sums[g]
    return found


LEAKS: dict[str, Make] = {
    "recoveries": recoveries,
    "last rate of a loan": last_rate_of_a_loan,
    "received principal": received_principal,
    "target mean without its group": target_mean_without_its_group,
    "smoothed target mean": smoothed_target_mean,
    "running count of a card": running_count_of_a_card,
    "running count of a shop": running_count_of_a_shop,
    "running rate of a shop": running_rate_of_a_shop,
    "running count of the file": running_count_of_the_file,
    "merchants of tickets": merchants_of_tickets,
    "label with gaps and noise": label_with_gaps_and_noise,
}


def hardship():
    """As strong as an honest flag may be; only its name gives it away."""
    w = World.of(rate=0.1, seed=321)
    return w.table(categorical={"hardship_flag": np.where(w.on(0.35, 0.004), "Y", "N")})


def some_cases():
    w = World.of(rate=0.012, seed=322)
    return w.table({"x": maybe(w.rng.integers(1, 10**6, w.n).astype(float), w.on(0.8, 0.015))})


def reversed_payments():
    w = World.of(rate=0.012, seed=323)
    return w.table(categorical={"x": np.where(w.on(0.84, 0.005), "reversed", "settled")})


def join_of_a_case_file():
    w = World.of(rate=0.012, seed=324)
    return w.table({"x": maybe(w.rng.normal(0, 1, w.n), w.on(0.98, 0.05))})


def rounded_amounts_of_frauds():
    w = World.of(rate=0.012, seed=325)
    minor = np.rint(w.amount * 100).astype(np.int64)
    return w.history(amount_minor=np.where(w.on(0.97, 0.08), minor // 100 * 100 + 100, minor))


def label_turned_in_three_of_ten():
    w = World.of(rate=0.1, seed=326)
    return w.table({"x": (w.bad ^ (w.rng.random(w.n) < 0.3)).astype(float)})


def paid_out_of_bad_loans():
    w = World.of(rate=0.08, seed=327)
    return w.table({"x": np.where(w.on(0.45, 0.0002), np.round(w.rng.exponential(9, w.n), 2), 0)})


def emptied_accounts():
    """A thief takes all there is: an honest column that is as strong as a leak."""
    w = World.of(rate=0.02, seed=328)
    more = np.round(w.amount * w.rng.uniform(1.1, 9, w.n), 2)
    return w.table({"x": np.where(w.on(0.97, 0.001), w.amount, more)})


TOLD: dict[str, Make] = {
    "hardship": hardship,
    "some cases": some_cases,
    "reversed payments": reversed_payments,
    "join of a case file": join_of_a_case_file,
    "rounded amounts of frauds": rounded_amounts_of_frauds,
    "label turned in three of ten": label_turned_in_three_of_ten,
    "paid out of bad loans": paid_out_of_bad_loans,
    "emptied accounts": emptied_accounts,
}
"""Warned of only: by their data they could be honest columns."""


def count_before():
    """A running count without its own row."""
    w = World.of(rate=0.015, seed=341)
    return w.table({"x": _running(w.merchant, w.y) - w.y})


def rate_before_and_late():
    """Labels come a month late."""
    w = World.of(rate=0.015, seed=342)
    known = np.searchsorted(w.at_ms, w.at_ms - 30 * DAY_MS)
    sums = np.zeros((int(w.merchant.max()) + 1, 2))
    rates, upto = np.zeros(w.n), 0
    for i, shop in enumerate(w.merchant.tolist()):
        for j in range(upto, int(known[i])):
            sums[w.merchant[j]] += (w.y[j], 1)
        upto = max(upto, int(known[i]))
        rates[i] = (sums[shop, 0] + 0.2) / (sums[shop, 1] + 10)
    return w.table({"x": rates})


def risk_by_a_vendor():
    """One number for each shop, near the truth and not computed from this file."""
    w = World.of(rate=0.0, seed=343)
    risk = w.rng.beta(0.3, 15, 400)
    w.y[:] = w.rng.random(w.n) < risk[w.merchant]
    return w.table({"x": np.round(risk * w.rng.lognormal(0, 0.3, 400), 4)[w.merchant]})


def number_that_grows():
    w = World.of(seed=344)
    return w.table({"order_no": 100_000 + 3.0 * np.arange(w.n)})


def prior_refunds():
    w = World.of(seed=345)
    return w.table({"prior_refunds": w.rng.poisson(0.5 + w.y).astype(float)})


def two_balances():
    """Equal where nothing is reserved, in fraud and otherwise."""
    w = World.of(seed=346)
    held = np.where(w.on(0.5, 0.2), w.rng.exponential(20, w.n), 0)
    balance = w.rng.lognormal(6, 1, w.n)
    return w.table({"x": np.round(balance, 2), "y": np.round(balance - held, 2)})


INNOCENTS: dict[str, Make] = {
    "count before": count_before,
    "rate before and late": rate_before_and_late,
    "risk by a vendor": risk_by_a_vendor,
    "number that grows": number_that_grows,
    "prior refunds": prior_refunds,
    "two balances": two_balances,
}
