"""Amounts: exact in every container, with signs, in their currency and its time."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.files.source import Chunk
from data.rows.canonical import canonical_rows
from fraud.payment import limits
from fraud.payment.currency import EXPONENT, hundredths, to_minor
from tests.contracts.chunks import chunk, layout


def test_amounts_that_a_layout_allows() -> None:
    rounding = layout(('amount = "value"', 'amount = { column = "value", round = true }'))
    rows = canonical_rows(chunk({"value": "1.005"}, {"value": "0.001"}), rounding, "tag")
    assert rows.table["amount_minor"].to_pylist() in ([101], [100])
    assert [b.code for b in rows.bad] == ["not_positive"]
    debit = layout(('amount = "value"', 'amount = { column = "value", absolute = true }'))
    assert (
        canonical_rows(chunk({"value": "-5"}), debit, "t").table["amount_minor"][0].as_py() == 500
    )
    cents = layout(('amount = "value"', 'amount = { column = "value", unit = "minor" }'))
    assert (
        canonical_rows(chunk({"value": "1234"}), cents, "t").table["amount_minor"][0].as_py()
        == 1234
    )


@pytest.mark.parametrize(
    ("keys", "cell", "minor"),
    [
        ('ignore = ["$", ","]', "$1,234.56", 123456),
        ('ignore = ["$"], absolute = true', "$-99.00", 9900),
        ('ignore = [".", "€"], decimal = ","', "1.234,56 €", 123456),
        ('decimal = ","', "1.5", None),
        ('ignore = ["$"]', "1,5", None),
    ],
)
def test_amounts_with_signs(keys: str, cell: str, minor: int | None) -> None:
    plan = layout(('amount = "value"', f'amount = {{ column = "value", {keys} }}'))
    found = canonical_rows(chunk({"value": cell}), plan, "tag")
    assert found.table["amount_minor"].to_pylist() == ([] if minor is None else [minor])
    assert [b.code for b in found.bad] == (["not_a_number"] if minor is None else [])


@given(
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.integers(min_value=1, max_value=10**12),
    st.sampled_from([pa.string(), pa.float64(), pa.decimal128(20, 3)]),
)
def test_amounts_are_exact_whatever_the_column_is(
    currency: str, minor: int, kind: pa.DataType
) -> None:
    amount = Decimal(minor).scaleb(-EXPONENT[currency])
    cells = [str(amount)] if kind == pa.string() else [amount]
    value = pa.array([float(amount)]) if kind == pa.float64() else pa.array(cells, kind)
    part = chunk({"money": currency})
    found = canonical_rows(
        Chunk(part.rows, part.lines, {**part.columns, "value": value}), layout(), "t"
    )
    if limits.amount_problem(minor, currency):
        assert found.bad[0].code == "too_large"
    else:
        [row] = found.table.to_pylist()
        assert row["amount_minor"] == minor == to_minor(amount, currency)
        assert row["amount_hundredths"] == hundredths(minor, currency)


@pytest.mark.parametrize(
    ("cell", "currency", "code"),
    [
        ("$60,000.00 ", "USD", None),
        ("$12.00", "MXN", None),
        ("€12.00", "USD", "other_currency"),
        ("EUR 12.00", "EUR", None),
        ("12.00 GBP", "EUR", "other_currency"),
    ],
)
def test_a_sign_beside_an_amount_must_be_of_its_currency(
    cell: str, currency: str, code: str | None
) -> None:
    found = canonical_rows(chunk({"value": cell, "money": currency}), layout(), "tag")
    assert [b.code for b in found.bad] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("currency", "at", "code"),
    [
        ("HRK", "2020-05-01", None),
        ("SLL", "2022-05-01", None),
        ("CUC", "2019-05-01", None),
        ("XDR", "2024-05-01", None),
        ("HRK", "2024-05-01", "withdrawn"),
    ],
)
def test_currencies_count_at_the_time_of_their_payment(
    currency: str, at: str, code: str | None
) -> None:
    found = canonical_rows(chunk({"money": currency, "at": at}), layout(), "tag")
    assert [b.code for b in found.bad] == ([] if code is None else [code])
