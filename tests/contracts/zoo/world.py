"""The honest world that the data sets are made from: payments of customers with habits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from data.category_codes import category_codes
from data.history.history import History
from fraud.payment.batch import COLUMNS, TransactionBatch
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS

START_MS = 1_704_067_200_000
DAYS = 120

Make = Callable[[], Dataset | History]


@dataclass
class World:
    """n payments in order of time, with labels and honest columns.

    Attributes:
        y: int8[n].
        at_ms: int64[n], rising.
        when: float64[n] in [0, 1), the time as a share of the span.
        rng: for columns that are added.
    """

    y: np.ndarray
    at_ms: np.ndarray
    customer: np.ndarray
    merchant: np.ndarray
    device: np.ndarray
    address: np.ndarray
    country: np.ndarray
    amount: np.ndarray
    rng: np.random.Generator

    @classmethod
    def of(cls, n: int = 24_000, rate: float = 0.012, seed: int = 0) -> World:
        """Return payments over 120 days; frauds have higher amounts, other places, and often new
        devices."""
        rng = np.random.default_rng(seed)
        y = (rng.random(n) < rate).astype(np.int8)
        minutes = np.random.default_rng([seed, 1]).random(n)
        hour = np.where(
            (y == 1) & (rng.random(n) < 0.5),
            rng.integers(0, 24, n) + minutes,
            rng.normal(14, 4, n) % 24,
        )
        day = rng.integers(0, DAYS, n)
        at = day * DAY_MS + (hour * 3_600_000).astype(np.int64)
        order = np.argsort(at, kind="stable")
        y, at = y[order], at[order]
        customers = max(n // 20, 20)
        customer = rng.zipf(1.3, n) % customers
        foreign = rng.random(n) < np.where(y == 1, 0.35, 0.04)
        return cls(
            y=y,
            at_ms=START_MS + at,
            customer=customer,
            merchant=rng.zipf(1.4, n) % 400,
            device=np.where(
                rng.random(n) < np.where(y == 1, 0.5, 0.03),
                1_000_000 + rng.integers(0, n, n),
                customer,
            ),
            address=np.where(rng.random(n) < 0.2, rng.integers(0, n, n), 2_000_000 + customer),
            country=np.where(foreign, rng.integers(1, 30, n), 0),
            amount=np.round(rng.lognormal(3 + 0.8 * y, 1), 2) + 0.01,
            rng=rng,
        )

    @property
    def n(self) -> int:
        return int(self.y.size)

    @property
    def bad(self) -> np.ndarray:
        return self.y == 1

    @property
    def when(self) -> np.ndarray:
        return (self.at_ms - START_MS) / (DAYS * DAY_MS)

    def on(self, of_frauds: float, of_others: float) -> np.ndarray:
        """Return bool[n]: true for these shares of frauds and of other payments."""
        return self.rng.random(self.n) < np.where(self.bad, of_frauds, of_others)

    def table(
        self,
        numeric: Mapping[str, np.ndarray] | None = None,
        categorical: Mapping[str, np.ndarray] | None = None,
    ) -> Dataset:
        """Return a table of the honest columns and the given ones."""
        speed = self.rng.poisson(1 + 1.5 * self.y).astype(float)
        numbers = {
            "amount": self.amount,
            "age": np.round(self.rng.normal(42, 12, self.n)),
            "payments_1h": speed,
            "km_from_home": np.round(self.rng.lognormal(1 + 1.2 * self.y + 0.1 * speed, 1.3), 1),
            **(numeric or {}),
        }
        names = {
            "country": np.char.add("c", self.country.astype(str)),
            "shop": np.char.add("s", self.merchant.astype(str)),
            **(categorical or {}),
        }
        columns = [*numbers.values(), *(category_codes(_texts(v)) for v in names.values())]
        values = np.stack([np.asarray(c, np.float32) for c in columns], axis=1)
        first = len(numbers)
        return Dataset(
            values=np.ascontiguousarray(values),
            label=self.y,
            known_at_ms=self.at_ms,
            timestamp_ms=self.at_ms,
            customer_id=None,
            amount=np.asarray(numbers["amount"], np.float64),
            segment={},
            schema=FeatureSchema.tabular((*numbers, *names), range(first, len(columns))),
        )

    def history(self, **fields: np.ndarray | list[str | None]) -> History:
        """Return payments in which the given fields replace the honest ones."""
        n = self.n
        columns: dict[str, list] = {
            "tenant": ["zoo"] * n,
            "transaction_id": [f"t{i:07d}" for i in range(n)],
            "customer_id": [f"cust-{c:06d}" for c in self.customer.tolist()],
            "timestamp_ms": (self.at_ms + self.rng.integers(0, 60_000, n)).tolist(),
            "amount_minor": np.rint(self.amount * 100).astype(np.int64).tolist(),
            "currency": ["EUR"] * n,
            "type": ["purchase"] * n,
            "merchant_id": [f"shop-{m:04d}" for m in self.merchant.tolist()],
            "merchant_category": [f"mcc{m % 17}" for m in self.merchant.tolist()],
            "counterparty_id": [None] * n,
            "device_id": [f"dev-{d:08x}" for d in self.device.tolist()],
            "ip_address": [_address(a) for a in self.address.tolist()],
            "country": [f"{chr(65 + c // 26)}{chr(65 + c % 26)}" for c in self.country.tolist()],
            "channel": ["online"] * n,
            "latitude": [None] * n,
            "longitude": [None] * n,
        }
        columns |= {
            name: _texts(v) if np.asarray(v).dtype.kind in "OU" else np.asarray(v).tolist()
            for name, v in fields.items()
        }
        order = np.argsort(np.array(columns["timestamp_ms"]), kind="stable")
        columns = {name: [column[i] for i in order.tolist()] for name, column in columns.items()}
        names = COLUMNS
        batch = TransactionBatch(**{name: columns[name] for name in names})
        at = np.array(columns["timestamp_ms"], np.int64)
        return History(batch, self.y[order], at + 5 * DAY_MS)


def _texts(values: np.ndarray | list[str | None]) -> list[str | None]:
    return [None if v is None else str(v) for v in np.asarray(values, object).tolist()]


def _address(number: int) -> str:
    return f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


def maybe(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the values where they are known, None elsewhere."""
    return np.where(known, values.astype(object), None)
