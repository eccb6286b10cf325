"""Seeded streams of payments with all that makes order and identity difficult."""

from __future__ import annotations

import numpy as np

from features.state.entities import ENTITIES
from features.state.labels import LabelEvents
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import CHANNELS, TYPES, Transaction

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
    """Return n payments in the order of arrival.

    Some are late by up to three days, some are sent twice, some lack merchant, device, counterparty
    or coordinates, some go to another customer or to the sender, some are just under the reporting
    threshold. Amounts span eight orders of magnitude.
    """
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
                amount_minor=_amount(rng),
                currency=str(rng.choice(["USD", "JPY", "KWD"])),
                type=str(rng.choice(TYPES)),
                merchant_id=some("m", 90),
                merchant_category=some("cat", 5),
                device_id=some("d", 20),
                counterparty_id=some("c", customers + 3) if rng.random() < 0.3 else some("p", 40),
                channel=str(rng.choice(CHANNELS)),
                country=str(rng.choice(["DE", "FR"])) if rng.random() < 0.5 else None,
                latitude=float(rng.uniform(-90, 90)) if rng.random() < 0.9 else None,
                longitude=float(rng.uniform(-180, 180)) if rng.random() < 0.9 else None,
            )
        )
    return TransactionBatch.of(tenant, rows)


def _amount(rng: np.random.Generator) -> int:
    if rng.random() < 0.1:
        return int(rng.integers(890_000, 1_010_000))  # around the threshold, in cents
    return int(10 ** rng.uniform(0, 10))


LabelRow = tuple[int, int, bool, tuple[int, bool] | None]
"""known_at_ms, row of the payment, whether it is fraud, the label that it replaces."""


def label_rows(
    batch: TransactionBatch, seed: int, *, days: float = 20.0, corrected: float = 0.2
) -> list[LabelRow]:
    """Return labels of some payments, known up to `days` later; some are corrected later on."""
    rng = np.random.default_rng(seed)
    seen: set[str] = set()
    found: list[LabelRow] = []
    for i, transaction in enumerate(batch.transaction_id):
        if transaction in seen or rng.random() < 0.3:
            continue
        seen.add(transaction)
        known_at = batch.timestamp_ms[i] + int(rng.integers(0, days * DAY_MS))
        fraud = bool(rng.random() < 0.3)
        found.append((known_at, i, fraud, None))
        if rng.random() < corrected:
            later = known_at + int(rng.integers(1, days * DAY_MS))
            found.append((later, i, not fraud, (known_at, fraud)))
    return sorted(found, key=lambda event: event[0])


def labels_of(
    batch: TransactionBatch, seed: int, *, days: float = 20.0, corrected: float = 0.2
) -> LabelEvents:
    """`label_rows` as label events."""
    found = label_rows(batch, seed, days=days, corrected=corrected)
    amounts = batch.amount_hundredths().tolist()
    rows = [event[1] for event in found]
    return LabelEvents(
        tenant=[batch.tenant[i] for i in rows],
        known_at_ms=[event[0] for event in found],
        fraud=[event[2] for event in found],
        hundredths=[amounts[i] for i in rows],
        ids={e.name: [getattr(batch, e.column)[i] for i in rows] for e in ENTITIES},
        previous=[event[3] for event in found],
    )
