"""Orders of arrival that are not on record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.backfill import joined
from features.state.events import Events
from features.state.labels import LabelEvents
from tests.contracts.payments import payments
from training.monitor.order_ambiguity import CONCURRENT_MS, LABEL_LAG_MS, OrderAmbiguity, touched_by

NO_LABELS = joined(())


def events(*customers: str) -> Events:
    batch = payments(len(customers), seed=1, duplicate=0.0)
    nobody: list[str | None] = [None] * len(customers)
    return Events.of(
        replace(batch, customer_id=list(customers), merchant_id=nobody, counterparty_id=nobody)
    )


def label(customer: str) -> LabelEvents:
    ids = {"customer": [customer], "merchant": [None], "device": [None], "counterparty": [None]}
    return LabelEvents(["default"], [1], [True], [100], ids, [None])


@pytest.mark.parametrize(
    ("apart_ms", "same_part", "concurrent"),
    [
        (0, True, False),  # one micro-batch: its order is on record
        (1, True, True),
        (CONCURRENT_MS, True, True),
        (CONCURRENT_MS + 1, True, False),
        (CONCURRENT_MS, False, True),
        (CONCURRENT_MS + 1, False, False),
    ],
)
def test_decisions_within_moments_of_each_other(
    apart_ms: int, same_part: bool, concurrent: bool
) -> None:
    ambiguity, moments = OrderAmbiguity(), np.array([10_000, 10_000 + apart_ms])
    both = events("a", "a")
    if same_part:
        ambiguity.add(both, moments, NO_LABELS, [])
    else:
        for moment in moments:
            ambiguity.add(events("a"), np.array([moment]), NO_LABELS, [])
    touched = touched_by(both, 0)["customer"]
    assert ambiguity.concurrent(touched, 10_000) is concurrent
    assert ambiguity.concurrent(touched, 10_000 + apart_ms) is concurrent
    assert not ambiguity.concurrent(touched_by(events("b"), 0)["customer"], 10_000)


@pytest.mark.parametrize(
    ("after_ms", "in_flight"),
    [(0, True), (LABEL_LAG_MS, True), (LABEL_LAG_MS + 1, False), (-1, False)],
)
def test_labels_that_may_not_have_been_learnt_yet(after_ms: int, in_flight: bool) -> None:
    ambiguity, known_ms = OrderAmbiguity(), 100_000
    one = events("a", "b")
    ambiguity.add(one, np.array([known_ms, known_ms]), label("a"), [known_ms])
    first, second = (touched_by(one, i)["customer"] for i in (0, 1))
    assert ambiguity.label_in_flight(first, known_ms + after_ms) is in_flight
    assert not ambiguity.label_in_flight(second, known_ms + after_ms)
