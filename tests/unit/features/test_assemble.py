from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.assemble import assemble, without_history
from features.definitions import NAMES
from features.degraded import FEATURES_UNAVAILABLE, TRANSACTION_REUSED
from features.events import Events
from features.remembered import rows_of
from features.store.protocol import Observation
from fraud.batch import TransactionBatch
from fraud.transaction import Transaction

AMOUNT = NAMES.index("request_amount")
CARD = Transaction("t", "customer", 0, 12_345, "USD", "purchase", "shop")


def batch_of(*transactions: Transaction) -> TransactionBatch:
    return TransactionBatch.of("acme", list(transactions))


def after(first: Transaction, retry: Transaction):
    """Features of a retry, and those that were kept of its first attempt."""
    kept = without_history(batch_of(first)).values + 0
    kept[0, NAMES.index("customer_count_1h")] = 7
    events = Events.of(batch_of(retry))
    blind = Observation.blind(1, FEATURES_UNAVAILABLE)
    seen = replace(blind, recorded={0: rows_of(kept, np.array([3]))}, degraded=())
    return assemble(batch_of(retry), events, seen), kept


@pytest.mark.parametrize("changes", [{}, {"timestamp_ms": 86_400_000}])
def test_a_retry_gets_what_its_first_attempt_got(changes):
    found, kept = after(CARD, replace(CARD, **changes))
    assert found.values.tobytes() == kept.tobytes()
    assert (found.age_ms.tolist(), found.degraded) == ([3], ())


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 99_900}, {"currency": "EUR"}, {"type": "withdrawal"}, {"country": "FR"}],
)
def test_another_payment_under_the_same_id_is_decided_as_it_is(changes):
    other = replace(CARD, **changes)
    found, kept = after(CARD, other)
    own = without_history(batch_of(other))
    assert found.values.tobytes() == own.values.tobytes() != kept.tobytes()
    assert found.degraded == (TRANSACTION_REUSED,)


def test_so_it_is_within_a_batch():
    batch = batch_of(CARD, CARD, replace(CARD, amount_minor=1))
    found = without_history(batch)
    assert found.values[:, AMOUNT].tolist() == pytest.approx([123.45, 123.45, 0.01])
    assert found.degraded == (FEATURES_UNAVAILABLE, TRANSACTION_REUSED)
