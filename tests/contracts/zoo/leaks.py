"""Data sets that leak. Each of them is refused."""

from __future__ import annotations

import numpy as np

from tests.contracts.zoo.world import Make, World, maybe
from training.sets.split import DAY_MS

HOUR_MS = 3_600_000


def _noisy(noise: float, **world: float) -> Make:
    def make():
        w = World.of(**world)
        return w.table({"index": w.y + w.rng.normal(0, noise, w.n)})

    return make


def _flipped(share: float, **world: float) -> Make:
    def make():
        w = World.of(**world)
        wrong = w.rng.random(w.n) < share
        return w.table({"reviewed": np.where(wrong, 1 - w.y, w.y).astype(float)})

    return make


def _flag(of_frauds: float, of_others: float, **world: float) -> Make:
    def make():
        w = World.of(**world)
        return w.table({"marker": w.on(of_frauds, of_others).astype(float)})

    return make


def near_copy():
    w = World.of(seed=1)
    return w.table({"score": w.y * 0.8 + w.rng.uniform(0, 0.75, w.n)})


def charge_off_date():
    """Days, filled for nearly every bad row and 2 % of the good ones; a fifth is bad."""
    w = World.of(n=8_000, rate=0.2, seed=2)
    days = w.when * 120 + w.rng.integers(60, 120, w.n)
    return w.table({"charge_off_day": np.where(w.on(0.985, 0.02), days, np.nan)})


def two_leaks():
    """Either of them explains away the other."""
    w = World.of(n=8_000, rate=0.1, seed=3)
    filled = w.on(0.97, 0.015)
    return w.table(
        {
            "recovered": np.where(filled, w.rng.lognormal(4, 1, w.n), 0.0),
            "write_off": np.where(filled, w.amount, np.nan),
        }
    )


def status_codes():
    w = World.of(seed=4)
    genuine = np.where(w.rng.random(w.n) < 0.9, "SETTLED", "REFUNDED")
    codes = np.where(w.on(0.92, 0.0005), w.rng.choice(["CHB", "REP", "RET"], w.n), genuine)
    return w.table(categorical={"status": codes})


def one_status_of_several():
    """Two thirds of frauds are charged back, the others end like any payment."""
    w = World.of(n=60_000, seed=5)
    return w.table(categorical={"status": np.where(w.on(0.66, 0.0004), "CHB", "SETTLED")})


def missing_on_fraud():
    w = World.of(seed=6)
    settled = w.rng.integers(1, 72, w.n).astype(float)
    return w.table({"settled_after_h": np.where(w.on(0.96, 0.012), np.nan, settled)})


def investigation_minutes():
    w = World.of(seed=7)
    spent = w.rng.gamma(2, 15, w.n)
    return w.table({"handled_min": np.where(w.on(0.93, 0.004), spent, 0.0)})


def merchant_rate_of_the_file():
    w = World.of(n=20_000, rate=0.03, seed=8)
    rows = np.bincount(w.merchant)
    share = np.bincount(w.merchant, w.y) / np.maximum(rows, 1)
    return w.table({"shop_rate": share[w.merchant]})


def merchant_rate_without_the_row():
    w = World.of(n=20_000, rate=0.03, seed=9)
    rows, bad = np.bincount(w.merchant), np.bincount(w.merchant, w.y)
    left = (bad[w.merchant] - w.y) / np.maximum(rows[w.merchant] - 1, 1)
    return w.table({"shop_rate": left})


def customer_frauds_of_the_file():
    """The customer is not in the table: every fraud's customer has one, from the first day on."""
    w = World.of(n=30_000, rate=0.006, seed=10)
    customer = w.rng.integers(0, 6_000, w.n)
    return w.table({"incidents": np.bincount(customer, w.y)[customer].astype(float)
                    + w.rng.uniform(0, 0.5, w.n)})  # fmt: skip


def days_to_closure():
    """The account is closed within days of a fraud."""
    w = World.of(seed=11)
    later = w.rng.lognormal(6, 0.8, w.n)
    return w.table({"closed_after": np.where(w.on(0.95, 0.005), w.rng.uniform(0, 9, w.n), later)})


def settlement_moment():
    w = World.of(seed=12)
    return w.table({"booked_at": (w.at_ms + 3 * DAY_MS) / 1000})


def cents_on_fraud():
    w = World.of(seed=13)
    amount = np.where(w.bad, np.floor(w.amount) + 0.99, w.amount)
    return w.history(amount_minor=np.rint(amount * 100).astype(np.int64))


def whole_amounts_on_fraud():
    w = World.of(seed=14)
    amount = np.where(w.bad, np.ceil(w.amount), w.amount)
    return w.table({"amount": amount})


def full_hour():
    w = World.of(seed=15)
    at = w.at_ms + w.rng.integers(0, HOUR_MS, w.n)
    return w.history(timestamp_ms=np.where(w.bad, at // HOUR_MS * HOUR_MS, at))


def midnight():
    """Frauds are known by their day."""
    w = World.of(seed=16)
    at = w.at_ms + w.rng.integers(0, HOUR_MS, w.n)
    return w.history(timestamp_ms=np.where(w.bad, at // DAY_MS * DAY_MS, at))


def seconds_only_on_genuine():
    """A call centre writes down minutes."""
    w = World.of(seed=17)
    at = w.at_ms + w.rng.integers(0, HOUR_MS, w.n)
    return w.history(timestamp_ms=np.where(w.on(0.96, 0), at // 60_000 * 60_000, at))


def id_prefix():
    w = World.of(seed=18)
    return w.history(transaction_id=np.array(
        [f"{'CB' if b else 'TX'}-{i:06d}" for i, b in enumerate(w.bad)], object))  # fmt: skip


def id_length():
    w = World.of(seed=19)
    ids = [f"{i:08d}" if b else f"{i:06d}" for i, b in enumerate(w.bad)]
    return w.history(transaction_id=np.array(ids, object))


def ids_at_the_end():
    """Frauds were added to the file after the others and numbered on."""
    w = World.of(seed=20)
    number = np.empty(w.n, np.int64)
    number[~w.bad] = np.arange((~w.bad).sum())
    number[w.bad] = w.rng.permutation(w.bad.sum()) + (~w.bad).sum()
    return w.history(transaction_id=np.array([f"T{i:07d}" for i in number], object))


def customer_id_range():
    w = World.of(seed=21)
    number = np.where(w.bad, 900_000 + w.rng.integers(0, 5_000, w.n), w.customer)
    return w.history(customer_id=np.array([f"{c:06d}" for c in number], object))


def upper_case_devices():
    w = World.of(seed=22)
    ids = [
        f"DEV-{d:08X}" if b else f"dev-{d:08x}"
        for d, b in zip(w.device, w.on(0.95, 0.002), strict=True)
    ]
    return w.history(device_id=np.array(ids, object))


def disjoint_customers():
    w = World.of(n=20_000, rate=0.05, seed=23)
    number = np.where(w.bad, 3_000 + w.rng.integers(0, 90, w.n), w.rng.integers(0, 3_000, w.n))
    number = (number * 7_919) % 100_003  # scattered: no range tells
    return w.history(customer_id=np.array([f"k{c:06d}" for c in number], object))


def device_only_on_fraud():
    w = World.of(seed=24)
    ids = np.array([f"dev-{d:08x}" for d in w.device], object)
    return w.history(device_id=maybe(ids, w.on(1.0, 0.02)))


def address_missing_on_fraud():
    w = World.of(seed=25)
    ids = np.array([f"10.0.{a // 256 % 256}.{a % 256}" for a in w.address], object)
    return w.history(ip_address=maybe(ids, ~w.on(0.95, 0.01)))


def kind_of_fraud_as_category():
    w = World.of(seed=26)
    kind = np.where(w.bad, w.rng.integers(1, 4, w.n), 0)
    return w.history(merchant_category=kind.astype(str))


def disputed_channel():
    w = World.of(seed=27)
    return w.history(channel=np.where(w.on(0.94, 0.001), "dispute-desk", "online"))


TUNING: dict[str, Make] = {
    "near copy": near_copy,
    "label and noise .5": _noisy(0.5, seed=31),
    "label turned 5 %": _flipped(0.05, seed=32),
    "flag 95 % and .2 %": _flag(0.95, 0.002, seed=33),
    "charge-off day": charge_off_date,
    "two leaks": two_leaks,
    "status codes": status_codes,
    "merchant rate of the file": merchant_rate_of_the_file,
    "cents on fraud": cents_on_fraud,
    "full hour": full_hour,
    "id prefix": id_prefix,
    "customer id range": customer_id_range,
    "disjoint customers": disjoint_customers,
    "device only on fraud": device_only_on_fraud,
    "kind of fraud as category": kind_of_fraud_as_category,
}
"""What the guard's limits were chosen on."""

HELD_OUT: dict[str, Make] = {
    "label and noise .3": _noisy(0.3, seed=41, rate=0.003, n=60_000),
    "label and noise .7": _noisy(0.7, seed=42, rate=0.03),
    "label turned 2 %": _flipped(0.02, seed=43, rate=0.004, n=60_000),
    "label turned 10 %": _flipped(0.1, seed=44, rate=0.03),
    "flag 92 % and 1 %": _flag(0.92, 0.01, seed=45),
    "flag 97 % and .02 %": _flag(0.97, 0.0002, seed=46, rate=0.002, n=80_000),
    "one status of several": one_status_of_several,
    "missing on fraud": missing_on_fraud,
    "investigation minutes": investigation_minutes,
    "merchant rate without the row": merchant_rate_without_the_row,
    "customer frauds of the file": customer_frauds_of_the_file,
    "days to closure": days_to_closure,
    "settlement moment": settlement_moment,
    "whole amounts on fraud": whole_amounts_on_fraud,
    "midnight": midnight,
    "minutes only on fraud": seconds_only_on_genuine,
    "id length": id_length,
    "ids at the end": ids_at_the_end,
    "upper case devices": upper_case_devices,
    "address missing on fraud": address_missing_on_fraud,
    "disputed channel": disputed_channel,
}
"""The guard's limits are tested with these."""
