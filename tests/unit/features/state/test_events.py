"""Rows as stores see them."""

from __future__ import annotations

from dataclasses import replace

from features.state.entities import ACCOUNT
from features.state.events import Events
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction


def payment(counterparty: str | None = None) -> Transaction:
    return Transaction(
        transaction_id="t",
        customer_id="me",
        timestamp_ms=1_700_000_000_000,
        amount_minor=100,
        currency="EUR",
        type="transfer",
        counterparty_id=counterparty,
    )


def test_paying_oneself_is_no_flow() -> None:
    events = Events.of(TransactionBatch.of("default", [payment("me")]))
    assert events.ids["payer"] == events.ids["payee"] == [None]
    assert ACCOUNT.size == 3032


def test_coordinates_need_both_parts_and_stay_on_the_globe() -> None:
    batch = TransactionBatch.of("default", [payment()] * 4)
    batch = replace(
        batch,
        latitude=[48.1371544, None, float("nan"), 1e12],
        longitude=[11.5754487, 1.0, 1.0, -1e12],
    )
    located, lat, lon = Events.of(batch).numbers[:, 2:5].T.tolist()
    assert located == [1, 0, 0, 1]
    assert lat == [90_000_000 + 48_137_154, 0, 0, 180_000_000]
    assert lon == [180_000_000 + 11_575_449, 0, 0, 0]
