"""History with labels: the same bits for any chunks, and as if each label came on its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from features.backfill import CHUNK_ROWS, backfill, backfill_chunk, joined
from features.definitions import NAMES
from features.state.labels import LabelEvents
from features.store.memory import MemoryStore
from fraud.payment.batch import TransactionBatch
from tests.contracts.payments import DAY_MS, payments

NOTHING = joined(())


def labels_of(batch: TransactionBatch, seed: int, delay_days: float = 3.0) -> LabelEvents:
    """A label for most payments, some days later; some are corrected even later."""
    rng = np.random.default_rng(seed)
    amounts = batch.amount_hundredths().tolist()
    events = []
    for i in np.flatnonzero(rng.random(len(batch)) < 0.7).tolist():
        known = batch.timestamp_ms[i] + int(rng.exponential(delay_days) * DAY_MS) + 1
        fraud = bool(rng.random() < 0.3)
        events.append((known, i, fraud, None))
        if rng.random() < 0.2:
            again = known + int(rng.exponential(delay_days) * DAY_MS) + 1
            events.append((again, i, not fraud, (known, fraud)))
    events.sort(key=lambda event: event[0])
    rows = [i for _, i, _, _ in events]
    names = ("customer", "merchant", "device", "counterparty")
    return LabelEvents(
        tenant=[batch.tenant[i] for i in rows],
        known_at_ms=[known for known, _, _, _ in events],
        fraud=[fraud for _, _, fraud, _ in events],
        hundredths=[amounts[i] for i in rows],
        ids={name: [getattr(batch, f"{name}_id")[i] for i in rows] for name in names},
        previous=[previous for _, _, _, previous in events],
    )


def one_by_one(batch: TransactionBatch, labels: LabelEvents) -> bytes:
    """The same without chunks: before each row, learn every label known by then."""
    store, done, newest_ms, found = MemoryStore(), 0, 0, b""
    for i in range(len(batch)):
        newest_ms = max(newest_ms, batch.timestamp_ms[i])
        while done < len(labels) and labels.known_at_ms[done] <= newest_ms:
            store.learn_now(labels.slice(done, done + 1))
            done += 1
        row = batch.slice(i, i + 1)
        found += backfill_chunk(store, row, NOTHING, np.empty(0, np.int64)).values.tobytes()
    return found


def values_of(parts: Iterator) -> bytes:  # type: ignore[type-arg]
    return b"".join(part.values.tobytes() for part in parts)


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_learnt_before_the_first_payment_that_is_not_earlier(seed: int) -> None:
    batch = payments(400, seed=seed, late=0.2, customers=30)
    labels = labels_of(batch, seed)
    assert values_of(backfill([batch], [labels])) == one_by_one(batch, labels)


def test_labels_change_what_is_seen() -> None:
    batch = payments(700, seed=1, customers=30)
    labels = labels_of(batch, 1)
    with_labels, without = (
        np.concatenate([part.values for part in backfill([batch], given)])
        for given in ([labels], [])
    )
    differ = [
        name
        for j, name in enumerate(NAMES)
        if not np.array_equal(with_labels[:, j], without[:, j], equal_nan=True)
    ]
    assert "merchant_risk_30d" in differ
    assert not [name for name in differ if name.startswith("request_")]


@pytest.mark.parametrize("rows", [1, 60, 699])
def test_how_batches_and_labels_are_cut_changes_nothing(rows: int) -> None:
    batch = payments(700, seed=5, late=0.2, customers=30)
    labels = labels_of(batch, 5)
    whole = values_of(backfill([batch], [labels]))
    batches = (batch.slice(i, i + rows) for i in range(0, len(batch), rows))
    parts = (labels.slice(i, i + 13) for i in range(0, len(labels), 13))
    assert values_of(backfill(batches, parts)) == whole


def test_chunks_are_bounded_and_every_row_comes_once() -> None:
    batch = payments(CHUNK_ROWS + 100, seed=2, days=5.0)
    sizes = [len(part) for part in backfill([batch])]
    assert sizes == [CHUNK_ROWS, 100]


def test_a_label_of_the_moment_of_a_payment_is_known_to_it() -> None:
    row = payments(2, seed=3, days=20.0, late=0.0, duplicate=0.0, customers=1)
    at = row.timestamp_ms[1]
    j = NAMES.index("customer_known_30d")
    for known_at, known in ((at, 1.0), (at + 1, 0.0)):
        labels = LabelEvents(
            tenant=["default"],
            known_at_ms=[known_at],
            fraud=[True],
            hundredths=[100],
            ids={"customer": ["c0"], "merchant": [None], "device": [None], "counterparty": [None]},
            previous=[None],
        )
        (part,) = backfill([row], [labels])
        assert part.values[1, j] == known
