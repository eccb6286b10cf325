"""Reading transactions in tests: a reader, valid bodies and all kinds of wrong ones."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from fraud.errors import InvalidInput
from fraud.payment import limits
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import CHANNELS, TYPES
from serve_app.http.reading.intake import Intake
from tests.contracts.front import NOW_MS, payment

DAY_MS = 86_400_000
READER = Intake(1000, 300_000, 3650 * DAY_MS, lambda: NOW_MS)


def read(document: Any) -> TransactionBatch:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return READER.transaction(body, "acme")


def wrong(document: Any) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read(document)
    return {(pointer, code) for pointer, code, _ in caught.value.errors}


def raw(**fields: str) -> bytes:
    """Return a valid body with fields replaced by raw JSON text."""
    parts = {k: json.dumps(v) for k, v in payment().items()} | fields
    return ("{" + ",".join(f'"{k}":{v}' for k, v in parts.items()) + "}").encode()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
CANARY = "c4nary-value-7391"
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "transaction_id": st.text(max_size=70),
    "customer_id": st.text(max_size=70) | st.just(CANARY * 5),
    "timestamp": st.datetimes().map(lambda d: d.isoformat() + "Z") | st.text(max_size=30),
    "amount": st.decimals(allow_nan=True).map(str)
    | st.floats()
    | st.integers()
    | st.decimals(min_value=Decimal("0.01"), max_value=10**10, places=2).map(str),
    "currency": st.sampled_from([*sorted(limits.CURRENCIES), "XXQ", CANARY]),
    "type": st.sampled_from([*TYPES, CANARY]),
    "country": st.sampled_from(["DE", "US", "QQ", CANARY]),
    "channel": st.sampled_from([*CHANNELS, CANARY]),
    "ip_address": st.ip_addresses().map(str) | st.text(max_size=50),
    "latitude": st.floats() | st.integers(),
    "longitude": st.floats(-180, 180),
    "merchant_category": st.text(max_size=70) | st.none(),
    "pan": st.just(CANARY),
    "metadata": st.dictionaries(st.text(max_size=45), st.text(max_size=510), max_size=60)
    | st.dictionaries(st.just("4" + CANARY), ANY_JSON)
    | st.dictionaries(st.just("note"), st.just(CANARY * 30)),
}
CHANGES = st.fixed_dictionaries({}, optional={k: v | ANY_JSON for k, v in VALUES.items()})


def outcome(body: bytes) -> Any:
    try:
        return READER.transaction(body, "acme")
    except InvalidInput as error:
        return {(p, c) for p, c, _ in error.errors}
