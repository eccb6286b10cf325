"""Micro-batches and records out of payments."""

from __future__ import annotations

import numpy as np

from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.payment.batch import FeatureBatch
from loadtests.capacity.measure.traffic import decided, next_batch
from loadtests.payments import Payment, Playlist


def test_a_batch_holds_the_payments_in_order(payments: list[Payment]) -> None:
    batch = next_batch(Playlist(payments, run="run"), 4)
    assert batch.transaction_id == [f"run-{i:09d}" for i in range(4)]
    assert batch.amount_minor == [1250] * 4
    assert len(set(batch.customer_id)) == 3
    assert batch.device_id == [None] * 4
    assert batch.timestamp_ms == sorted(batch.timestamp_ms)


def test_records_are_of_those_payments_and_features(payments: list[Payment]) -> None:
    batch = next_batch(Playlist(payments), 40 - 10)
    values = np.arange(30 * N_FEATURES, dtype=np.float32).reshape(30, N_FEATURES)
    features = FeatureBatch(values, SCHEMA_ID, np.full(30, 7, np.int64))
    made = decided(batch, features, 1_790_000_000_000, np.random.default_rng(1))
    assert [r.transaction.transaction_id for r in made] == batch.transaction_id
    assert made.features == values.tobytes()
    outcomes = {r.outcome for r in made}
    assert "approve" in outcomes
    assert all(bool(r.reasons) == (r.outcome != "approve") for r in made)
