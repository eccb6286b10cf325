from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.assemble import assemble, without_history
from features.definitions import NAMES
from features.degraded import (
    FEATURES_UNAVAILABLE,
    HISTORY_UNAVAILABLE,
    TRANSACTION_REUSED,
)
from features.first_features import pack_rows
from features.state.events import Events
from features.store.interface import Observation
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction

AMOUNT = NAMES.index("request_amount")
CARD = Transaction("t", "customer", 0, 12_345, "USD", "purchase", "shop")


def batch_of(*transactions: Transaction) -> TransactionBatch:
    return TransactionBatch.of("acme", list(transactions))


def after(first: Transaction, retry: Transaction, why: tuple[str, ...] = ()):
    """Features of a retry, and those that were kept of its first attempt."""
    kept = without_history(batch_of(first)).values + 0
    kept[0, NAMES.index("customer_count_1h")] = 7
    events = Events.of(batch_of(retry))
    blind = Observation.blind(1, FEATURES_UNAVAILABLE)
    hashes = Events.of(batch_of(first)).hashes
    seen = replace(blind, recorded={0: pack_rows(kept, np.array([3]), hashes, [why])}, degraded={})
    return assemble(batch_of(retry), events, seen), kept


@pytest.mark.parametrize("changes", [{}, {"timestamp_ms": 86_400_000}])
def test_a_retry_gets_what_its_first_attempt_got(changes):
    found, kept = after(CARD, replace(CARD, **changes))
    assert found.values.tobytes() == kept.tobytes()
    assert (found.age_ms.tolist(), found.degraded) == ([3], [()])


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 99_900},
        {"currency": "EUR"},
        {"type": "withdrawal"},
        {"country": "FR"},
        {"customer_id": "another"},
        {"merchant_id": None},
        {"counterparty_id": "somebody"},
    ],
)
def test_another_payment_under_the_same_id_is_decided_as_it_is(changes):
    other = replace(CARD, **changes)
    found, kept = after(CARD, other)
    own = without_history(batch_of(other))
    assert found.values.tobytes() == own.values.tobytes() != kept.tobytes()
    assert found.degraded == [(TRANSACTION_REUSED,)]


def test_so_it_is_within_a_batch():
    batch = batch_of(CARD, CARD, replace(CARD, amount_minor=1))
    found = without_history(batch)
    assert found.values[:, AMOUNT].tolist() == pytest.approx([123.45, 123.45, 0.01])
    blind = (FEATURES_UNAVAILABLE,)
    assert found.degraded == [blind, blind, (FEATURES_UNAVAILABLE, TRANSACTION_REUSED)]


def test_a_retry_says_what_its_first_attempt_missed():
    found, _ = after(CARD, CARD, (HISTORY_UNAVAILABLE, TRANSACTION_REUSED))
    assert found.degraded == [(HISTORY_UNAVAILABLE, TRANSACTION_REUSED)]


def test_a_retry_misses_nothing_that_its_first_attempt_had():
    events = Events.of(batch_of(CARD))
    kept = pack_rows(without_history(batch_of(CARD)).values, np.array([3]), events.hashes, [()])
    cold = replace(Observation.blind(1, HISTORY_UNAVAILABLE), recorded={0: kept})
    assert assemble(batch_of(CARD), events, cold).degraded == [()]


def test_the_first_of_an_id_is_the_payment_and_what_is_on_record_comes_before_it():
    other = replace(CARD, amount_minor=1)
    batch = batch_of(CARD, other, CARD, other)
    events = Events.of(batch)
    seen = replace(Observation.blind(4, FEATURES_UNAVAILABLE), degraded={})
    assert assemble(batch, events, seen).degraded == [
        *((), (TRANSACTION_REUSED,)),
        *((), (TRANSACTION_REUSED,)),
    ]
    own = Events.of(batch_of(other))
    kept = pack_rows(without_history(batch_of(other)).values, np.array([3]), own.hashes, [()])
    before = replace(seen, recorded=dict.fromkeys(range(4), kept))
    assert assemble(batch, events, before).degraded == [
        *((TRANSACTION_REUSED,), ()),
        *((TRANSACTION_REUSED,), ()),
    ]
