"""Tables of payments made by a seed, and references and files out of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from references.matching.sample import FileSample
from references.profile.column import QUANTILES, ColumnKind, ColumnProfile
from references.profile.measure import measure
from references.reference import Reference, ReferenceColumn, ReferenceKind, StoredReference

SHOP = ("amount", "age_of_account", "items", "category", "distance_km")


def shop_table(n: int, seed: int) -> pa.Table:
    """Payments without customers: n rows of the columns `SHOP`. Amounts grow with items."""
    rng = np.random.default_rng(seed)
    items = rng.poisson(3, n) + 1
    return pa.table(
        {
            "amount": np.round(items * rng.lognormal(2.5, 0.6, n), 2),
            "age_of_account": rng.gamma(2, 180, n),
            "items": np.where(items > 30, 30, items) * 1.5,
            "category": rng.choice(["food", "books", "travel"], n, p=[0.6, 0.3, 0.1]),
            "distance_km": rng.exponential(12, n) * items,
        }
    )


def card_table(n: int, seed: int) -> pa.Table:
    """Payments by customers: n rows of transaction_id, customer_id, timestamp, amount,
    merchant_id."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2023-04-01", "ms")
    return pa.table(
        {
            "transaction_id": np.arange(n) + 1,
            "customer_id": [f"c{i:05d}" for i in rng.integers(0, max(n // 20, 1), n)],
            "timestamp": start + np.sort(rng.integers(0, 60 * 86_400_000, n)),
            "amount": np.round(rng.lognormal(3.5, 1.0, n), 2),
            "merchant_id": [f"m{i:04d}" for i in rng.integers(0, 200, n)],
        }
    )


def file_of(table: pa.Table) -> FileSample:
    """A table as a file that was sent in."""
    return FileSample(measure({n: table.column(n) for n in table.column_names}), table)


def stored(
    table: pa.Table,
    name: str = "shop",
    *,
    kind: ReferenceKind = "tabular",
    required: tuple[str, ...] = (),
    importance: Mapping[str, float] | None = None,
    metrics: Mapping[str, float] | None = None,
    label: str = "is_fraud",
) -> StoredReference:
    """A table as a reference whose columns matter alike, if nothing else is said."""
    profiles = measure({n: table.column(n) for n in table.column_names})
    even = 1 / len(profiles)
    columns = tuple(
        ReferenceColumn(p, (importance or {}).get(p.name, even), p.name in required)
        for p in profiles
    )
    reference = Reference(
        name=name, owner="", tenant="t", kind=kind, schema_id="s", columns=columns, label=label,
        label_rate=0.01, rows=table.num_rows, models=(), best="m", metrics=dict(metrics or {}),
        created_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return StoredReference(reference, "a" * 12, "a" * 64, "champion", 1, "file:///x")


def number(name: str, low: float, high: float, *, whole: bool = False) -> ColumnProfile:
    """The profile of numbers spread evenly between two limits."""
    quantiles = tuple(np.linspace(low, high, QUANTILES).tolist())
    return ColumnProfile(name, ColumnKind.NUMBER, 1000, 1000, 900, quantiles, whole=whole)


def category(name: str, **shares: float) -> ColumnProfile:
    """The profile of a category with these shares."""
    return ColumnProfile(
        name, ColumnKind.CATEGORY, 1000, 1000, len(shares), categories=tuple(shares.items())
    )
