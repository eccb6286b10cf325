"""Names on the wire."""

from __future__ import annotations

from fraud.payment.batch import TRANSACTION_COLUMNS
from fraud.payment.transaction import CHANNELS, TYPES
from serve_app.http.reading.transaction import FIELDS
from serve_app.http.wire import schemas


def test_wire_names_are_those_of_the_domain() -> None:
    assert schemas.TypeName.__args__ == TYPES  # type: ignore[attr-defined]
    assert schemas.ChannelName.__args__ == CHANNELS  # type: ignore[attr-defined]
    renamed = {"timestamp_ms": "timestamp", "amount_minor": "amount"}
    wire = tuple(renamed.get(n, n) for n in TRANSACTION_COLUMNS)
    assert (*wire, "metadata") == FIELDS
    assert set(FIELDS) == set(schemas.TransactionIn.__struct_fields__)
