"""A layout from matched columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.scoring.history.payment_layout import converted, payment_layout
from fraud.errors import InvalidInput
from tests.contracts.scored_jobs import history_model

N = 60


def rows(**more):
    return {
        "kunde": [f"k{i % 9}" for i in range(N)],
        "zeit": [f"{1 + i % 28:02d}.03.2026 10:{i % 60:02d}" for i in range(N)],
        "betrag": [f"{10 + i}.50" for i in range(N)],
        **more,
    }


def layout(tmp_path, columns, fields, decimal="."):
    pq.write_table(pa.table(columns), tmp_path / "sample.parquet")
    model = history_model(tmp_path / "m", fields)
    return payment_layout(model, tmp_path / "sample.parquet", decimal)


FIELDS = {"customer_id": "kunde", "timestamp": "zeit", "amount": "betrag"}


def test_every_row_is_a_payment_of_its_own(tmp_path):
    found = layout(tmp_path, rows(nr=["1"] * N), {**FIELDS, "transaction_id": "nr"})
    assert found.text["transaction_id"].row_number
    assert found.text["customer_id"].columns == ("kunde",)
    assert found.amount.column == "betrag"
    assert found.timestamp.format == "%d.%m.%Y %H:%M"


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("step", [str(i // 4) for i in range(N)], "hours"),
        ("wann", [str(1_760_000_000 + 60 * i) for i in range(N)], "seconds"),
        ("wann", [str(1_760_000_000_000 + 60 * i) for i in range(N)], "milliseconds"),
    ],
)
def test_counts_of_time_are_times_whatever_their_name(tmp_path, name, values, unit):
    columns = rows()
    del columns["zeit"]
    found = layout(tmp_path, {**columns, name: values}, {**FIELDS, "timestamp": name})
    assert found.timestamp.columns == (name,)
    assert found.timestamp.unit == unit


def test_a_unit_is_never_assumed(tmp_path):
    columns = rows()
    cents = [str(1000 + i) for i in range(N)]
    columns = {"kunde": columns["kunde"], "zeit": columns["zeit"], "amount_cents": cents}
    found = layout(tmp_path, columns, {**FIELDS, "amount": "amount_cents"})
    assert found.amount.unit == "major"


def test_an_optional_field_that_does_not_fit_is_left_out(tmp_path):
    columns = rows(ip=["not an address"] * N)
    found = layout(tmp_path, columns, {**FIELDS, "ip_address": "ip"})
    assert "ip_address" not in found.text


@pytest.mark.parametrize("field", ["timestamp", "amount"])
def test_without_a_time_or_an_amount_there_are_no_payments(tmp_path, field):
    fields = {name: column for name, column in FIELDS.items() if name != field}
    with pytest.raises(InvalidInput, match=field):
        layout(tmp_path, rows(), fields)


def test_a_column_that_shows_no_times_is_not_one(tmp_path):
    with pytest.raises(InvalidInput, match="zeit"):
        layout(tmp_path, rows(zeit=["soon"] * N), FIELDS)


def test_decimals_that_a_currency_does_not_have_are_rounded(tmp_path):
    # Only a row that was not in the sample may have them.
    assert layout(tmp_path, rows(), FIELDS).amount.round


def test_confirmed_conversions_change_numbers(tmp_path):
    model = history_model(tmp_path, FIELDS)
    amount = replace(model.columns[2], conversion="minor-to-major", factor=0.01)
    model = replace(model, columns=(*model.columns[:2], amount))
    found = converted(pa.table({"betrag": ["1.250", "x"], "zeit": ["a", "b"]}), model, ",", [])
    assert found["betrag"].to_pylist() == [12.5, None]
    assert found["zeit"].to_pylist() == ["a", "b"]
    assert np.dtype("float64") == found["betrag"].type.to_pandas_dtype()
