"""Labelled payments in PostgreSQL; frauds have the higher amounts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

START = datetime(2026, 1, 1, tzinfo=UTC)

Paid = tuple[datetime, str, str, int, bool]
"""Time, customer, merchant, amount in minor units, whether it is fraud."""


async def load_labelled(
    database_url: str,
    rows: int,
    days: float,
    *,
    seed: int = 3,
    first: int = 0,
    fraud_share: float = 0.04,
    fraud_log_amount: float = 8.3,
    customers: int = 60,
    merchants: int = 20,
    tenant: str = "default",
) -> None:
    """Insert payments, each with a label that becomes known two days later.

    Args:
        rows: number of payments, spread evenly over `days` from START on.
        first: number of the first payment; ids start there.
        fraud_share: share of the payments, chosen at random.
        fraud_log_amount: mean logarithm of a fraud's amount; that of other payments is 7.
    """
    rng = np.random.default_rng(seed)
    paid: list[Paid] = []
    for i in range(rows):
        at = START + timedelta(milliseconds=int(i * days * 86_400_000 / rows))
        fraud = bool(rng.random() < fraud_share)
        amount = int(rng.lognormal(fraud_log_amount if fraud else 7.0, 0.7)) + 1
        customer, merchant = f"c{rng.integers(customers)}", f"m{rng.integers(merchants)}"
        paid.append((at, customer, merchant, amount, fraud))
    await _insert(database_url, paid, first, tenant)


async def _insert(
    database_url: str, paid: Iterable[Paid], first: int, tenant: str = "default"
) -> None:
    transactions, labels = [], []
    for i, (at, customer, merchant, amount, fraud) in enumerate(paid, start=first):
        row = (tenant, f"t{i}", at, customer, amount, "EUR", "purchase", merchant, amount)
        transactions.append(row)
        labels.append((tenant, f"t{i}", fraud, at + timedelta(days=2), "history"))
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table(
            "transactions",
            records=transactions,
            columns=[
                "tenant", "transaction_id", "occurred_at", "customer_id", "amount_minor",
                "currency", "type", "merchant_id", "amount_hundredths",
            ],
        )  # fmt: skip
        await connection.copy_records_to_table(
            "labels",
            records=labels,
            columns=["tenant", "transaction_id", "is_fraud", "known_at", "source"],
        )
    finally:
        await connection.close()
