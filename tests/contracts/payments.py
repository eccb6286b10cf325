"""Seeded streams of payments with everything that makes order and identity hard."""

from __future__ import annotations

import numpy as np

from fraud.batch import TransactionBatch
from fraud.transaction import CHANNELS, TYPES, Transaction

START_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def payments(
    n: int,
    seed: int,
    *,
    days: float = 70.0,
    customers: int = 7,
    late: float = 0.1,
    duplicate: float = 0.05,
    tenant: str = "default",
    prefix: str = "t",
) -> TransactionBatch:
    """n payments in the order of arrival: some late by up to three days, some sent twice, some
    without merchant, device or counterparty, amounts over eight orders of magnitude."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, int(days * DAY_MS), n))
    at = np.where(rng.random(n) < late, at - rng.integers(0, 3 * DAY_MS, n), at)
    rows: list[Transaction] = []
    for i in range(n):
        if rows and rng.random() < duplicate:
            rows.append(rows[int(rng.integers(max(0, len(rows) - 20), len(rows)))])
            continue

        def some(kind: str, many: int) -> str | None:
            return f"{kind}{rng.integers(many)}" if rng.random() < 0.85 else None

        rows.append(
            Transaction(
                transaction_id=f"{prefix}{i}",
                customer_id=f"c{rng.integers(customers)}",
                timestamp_ms=START_MS + int(at[i]),
                amount_minor=int(10 ** rng.uniform(0, 10)),
                currency=str(rng.choice(["USD", "JPY", "KWD"])),
                type=str(rng.choice(TYPES)),
                merchant_id=some("m", 90),
                merchant_category=some("cat", 5),
                device_id=some("d", 20),
                counterparty_id=some("p", 40),
                channel=str(rng.choice(CHANNELS)),
                country=str(rng.choice(["DE", "FR"])) if rng.random() < 0.5 else None,
            )
        )
    return TransactionBatch.of(tenant, rows)
