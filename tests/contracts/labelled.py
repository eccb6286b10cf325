"""Labelled payments in PostgreSQL, of which fraud is the dearer part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

START = datetime(2026, 1, 1, tzinfo=UTC)


async def load_labelled(
    database_url: str, rows: int, days: float, *, seed: int = 3, first: int = 0
) -> None:
    """Insert payments and a label of each, known two days later.

    Args:
        rows: payments, evenly over `days` from START on.
        first: number of the first; ids begin there.
    """
    rng = np.random.default_rng(seed)
    transactions, labels = [], []
    for i in range(first, first + rows):
        at = START + timedelta(milliseconds=int((i - first) * days * 86_400_000 / rows))
        fraud = bool(rng.random() < 0.04)
        amount = int(rng.lognormal(8.3 if fraud else 7.0, 0.7)) + 1
        customer, merchant = f"c{rng.integers(60)}", f"m{rng.integers(20)}"
        row = ("default", f"t{i}", at, customer, amount, "EUR", "purchase", merchant, amount)
        transactions.append(row)
        labels.append(("default", f"t{i}", fraud, at + timedelta(days=2), "history"))
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
