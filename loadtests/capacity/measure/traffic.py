"""Payments of a history as micro-batches, and records of decisions on them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.currency import to_minor
from fraud.payment.transaction import Transaction
from fraud.record import RecordBatch
from loadtests import recorded
from loadtests.payments import Playlist

TENANT = "default"
PLAN = replace(
    recorded.PLAN,
    policy=replace(
        recorded.PLAN.ensemble, calibration=tuple((i / 40, (i / 40) ** 2) for i in range(41))
    ),
)
"""With a curve of calibration, as a trained plan has."""
_STAGES = dict.fromkeys(
    ("features", "redis", "assemble", "votes", "combine", "log", *PLAN.variants), 1.234
)


def next_batch(playlist: Playlist, rows: int) -> TransactionBatch:
    """Return the next `rows` payments as a micro-batch of one tenant."""
    return TransactionBatch.of(TENANT, [_payment(playlist.take().body) for _ in range(rows)])


def _payment(body: bytes) -> Transaction:
    fields: dict[str, Any] = json.loads(body)
    at = datetime.fromisoformat(fields.pop("timestamp"))
    amount = to_minor(Decimal(fields.pop("amount")), fields["currency"])
    return Transaction(**fields, timestamp_ms=round(at.timestamp() * 1000), amount_minor=amount)


def decided(
    batch: TransactionBatch, features: FeatureBatch, at_ms: int, rng: np.random.Generator
) -> RecordBatch:
    """Return the records of decisions on a micro-batch, from random votes. A twentieth is not
    approved and has three reasons.

    Args:
        batch, features: n payments and what was known of them.
        at_ms: time of the decisions.
        rng: makes the votes.
    """
    n = len(batch)
    scores = [rng.random(n) ** 4 * 0.9 for _ in PLAN.variants]
    return recorded.recorded(
        PLAN, batch, features, scores, at_ms, stage_ms=_STAGES, explained_by=f"{1:064x}"
    )
