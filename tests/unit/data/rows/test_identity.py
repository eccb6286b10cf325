"""When two rows are one payment, and the id that another one gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.layout.layout import LayoutInvalid, parse_layout
from data.rows.canonical import STAGED
from data.rows.identity import SAME_WITHIN_MS, IdentityResolver, PaymentIdentity, derived_id
from fraud.payment.limits import MAX_ID_CHARS, text_problem
from tests.contracts.layouts import MINIMAL

PAYMENT = PaymentIdentity(1_000_000, "c", 100, "EUR", "m", None, "d")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"at_ms": 1_000_000 + SAME_WITHIN_MS - 1}, True),
        ({"at_ms": 1_000_000 - SAME_WITHIN_MS}, False),
        ({"merchant_id": None}, True),
        ({"counterparty_id": "p"}, True),
        ({"customer_id": "e"}, False),
        ({"amount_minor": 101}, False),
        ({"currency": "USD"}, False),
        ({"merchant_id": "n"}, False),
        ({"device_id": "e"}, False),
    ],
)
def test_which_payments_are_the_same(change: dict[str, Any], same: bool) -> None:
    other = PAYMENT._replace(**change)
    assert PAYMENT.is_same_as(other) is same
    assert other.is_same_as(PAYMENT) is same


def test_a_derived_id_is_valid_and_depends_on_the_payment() -> None:
    long = "x" * MAX_ID_CHARS
    changed = [
        PAYMENT,
        PAYMENT._replace(at_ms=0),
        PAYMENT._replace(customer_id="e"),
        PAYMENT._replace(amount_minor=101),
    ]
    ids = [derived_id(one, payment) for one in ("1", long, f"{long[:-1]}y") for payment in changed]
    assert len(set(ids)) == len(ids)
    assert not [one for one in ids if text_problem(one)]
    # What only one of two exports knows of a payment gives it no other id.
    assert derived_id("1", PAYMENT) == derived_id("1", PAYMENT._replace(merchant_id=None))


def chunk(*rows: tuple[str, str, int]) -> pa.Table:
    """Rows of (id, customer, amount), at one time, without labels."""
    n = len(rows)
    columns: dict[str, pa.Array] = {name: pa.nulls(n, pa.string()) for name in STAGED}
    ids, customers, amounts = zip(*rows, strict=True)
    columns |= {"transaction_id": pa.array(ids), "customer_id": pa.array(customers)}
    columns |= {"amount_minor": pa.array(amounts), "currency": pa.array(["EUR"] * n)}
    columns["occurred_at"] = pa.array([1_000] * n).cast(pa.timestamp("ms", tz="UTC"))
    columns["is_fraud"] = pa.nulls(n, pa.bool_())
    columns["known_at"] = pa.nulls(n, pa.timestamp("ms", tz="UTC"))
    return pa.table(columns)


def resolver(table: pa.Table, repeated: str) -> IdentityResolver:
    """The resolver of rows from 1, whose lines begin after a header."""
    places = np.arange(1, table.num_rows + 1)
    return IdentityResolver(table, places, places + 1, repeated)


def test_a_payment_without_an_id_of_its_own_is_rejected() -> None:
    """Two payments of one customer, time and amount that differ by merchant alone have no ids of
    their own: the second is rejected."""
    rows = chunk(("1", "a", 5), ("1", "b", 7), ("1", "b", 7))
    place = rows.schema.get_field_index("merchant_id")
    found = resolver(rows.set_column(place, "merchant_id", pa.array(["m", "n", "o"])), "apart")
    found.add_recorded({})
    resolved = found.resolve({}, {})
    assert resolved.table["customer_id"].to_pylist() == ["a", "b"]
    assert [(bad.row, bad.line, bad.code) for bad in resolved.bad] == [(3, 4, "another_payment")]
    assert resolved.reused == {"1": [2, 3]}
    assert "line 2" in resolved.bad[0].detail


def test_a_chunk_without_a_repeated_id_is_left_alone() -> None:
    rows = chunk(("1", "a", 5), ("2", "a", 5))
    found = resolver(rows, "reject")
    assert found.add_recorded({}) == []
    assert found.repeated_ids == []
    resolved = found.resolve({}, {})
    assert resolved.table is rows
    assert resolved.is_new.all()


def test_a_layout_says_what_to_do_with_repeated_ids() -> None:
    assert parse_layout(MINIMAL, "m.toml").repeated == "reject"
    chosen = f'{MINIMAL}[transaction_id]\nrepeated = "apart"\n'
    assert parse_layout(chosen, "m.toml").repeated == "apart"
    with pytest.raises(LayoutInvalid, match=r"\.repeated: expected 'reject' or 'apart'"):
        parse_layout(chosen.replace("apart", "merge"), "m.toml")
