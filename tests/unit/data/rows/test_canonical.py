"""Rows are mapped and checked: each broken rule is found, sound rows stay as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from data.files.source import Chunk
from data.layout.layout import Layout, LayoutInvalid, parse_layout
from data.rows.canonical import canonical_rows
from tests.contracts.chunks import COLUMNS, chunk, layout


def test_a_sound_row_is_mapped() -> None:
    found = canonical_rows(chunk({}, {"to": "C9", "y": None, "north": None}), layout(), "tag")
    first, second = found.table.to_pylist()
    at = datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=UTC)
    assert first["occurred_at"] == at
    assert (first["amount_minor"], first["amount_hundredths"]) == (1234, 1234)
    assert (first["merchant_id"], first["counterparty_id"]) == ("shop-M7", None)
    assert (first["type"], first["latitude"], first["device_id"]) == ("purchase", 1.5, None)
    assert first["is_fraud"] is False
    assert (first["known_at"] - at).days == 2
    assert (second["merchant_id"], second["counterparty_id"]) == (None, "C9")
    assert (second["is_fraud"], second["known_at"], second["latitude"]) == (None, None, None)
    assert found.bad == []


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"id": ""}, "transaction_id", "missing"),
        ({"id": " "}, "transaction_id", "missing"),
        ({"card": None}, "customer_id", "missing"),
        ({"card": "x" * 65}, "customer_id", "too_long"),
        ({"card": "a\x00b"}, "customer_id", "unprintable"),
        ({"at": "yesterday"}, "timestamp", "not_a_time"),
        ({"at": "2024-02-30"}, "timestamp", "not_a_time"),
        ({"at": None}, "timestamp", "missing"),
        ({"at": "1970-01-02"}, "timestamp", "out_of_range"),
        ({"at": "9999-12-31"}, "timestamp", "out_of_range"),
        ({"value": "0"}, "amount", "not_positive"),
        ({"value": "-5"}, "amount", "not_positive"),
        ({"value": "nan"}, "amount", "missing"),
        ({"value": "inf"}, "amount", "not_a_number"),
        ({"value": "1e400"}, "amount", "not_a_number"),
        ({"value": "1_000"}, "amount", "not_a_number"),
        ({"value": "12,34"}, "amount", "not_a_number"),
        ({"value": "1e300"}, "amount", "too_large"),
        ({"value": "10000000000.01"}, "amount", "too_large"),
        ({"value": "1.005"}, "amount", "too_precise"),
        ({"value": None}, "amount", "missing"),
        ({"money": "XYZ"}, "currency", "unknown"),
        ({"money": None}, "currency", "missing"),
        ({"kind": "GIFT"}, "type", "unknown"),
        ({"land": "ZZ"}, "country", "unknown"),
        ({"ip": "8.8.8"}, "ip_address", "malformed"),
        ({"north": "91"}, "latitude", "out_of_range"),
        ({"east": "west"}, "longitude", "not_a_number"),
        ({"y": "maybe"}, "is_fraud", "not_a_label"),
    ],
)
def test_each_broken_rule_names_row_line_and_field(
    change: dict[str, Any], field: str, code: str
) -> None:
    found = canonical_rows(chunk({}, change, {"id": "t3"}), layout(), "tag")
    [bad] = found.bad
    assert (bad.row, bad.line, bad.field, bad.code) == (2, 3, field, code)
    value = next(iter(change.values()))
    assert not value or len(value) < 3 or value not in bad.detail
    assert found.table["transaction_id"].to_pylist() == ["t1", "t3"]
    assert found.n_bad == 1


def test_a_reason_names_the_column_of_the_file() -> None:
    found = canonical_rows(chunk({"value": "x"}), layout(), "tag")
    assert [b.detail for b in found.bad] == ["must be a number (column value)"]


def test_a_row_that_breaks_two_rules_is_one_bad_row() -> None:
    found = canonical_rows(chunk({"land": "ZZ", "value": "0"}), layout(), "tag")
    assert {b.field for b in found.bad} == {"amount", "country"}
    assert found.n_bad == 1
    assert found.table.num_rows == 0


@pytest.mark.parametrize(
    ("timestamp", "cells", "expected"),
    [
        ('{ column = "at", unit = "hours", base = "2017-01-01" }', [36], "2017-01-02T12:00"),
        ('{ column = "at", unit = "seconds" }', [1.5e9], "2017-07-14T02:40"),
        ('{ column = "at", unit = "seconds" }', ["1500000000"], "2017-07-14T02:40"),
        ('{ column = "at", zone = "Europe/Madrid" }', ["2017-07-14 04:40"], "2017-07-14T02:40"),
        ('{ column = "at", zone = "Europe/Madrid" }', ["2017-07-14T02:40Z"], "2017-07-14T02:40"),
        ('{ column = "at", format = "%d/%m/%Y %H:%M" }', ["14/07/2017 02:40"], "2017-07-14T02:40"),
        (
            '{ row_number = true, unit = "minutes", base = "2017-07-14T02:39" }',
            [None],
            "2017-07-14T02:40",
        ),
    ],
)
def test_times(timestamp: str, cells: list[Any], expected: str) -> None:
    part = chunk({})
    columns = {**part.columns, "at": pa.array(cells)}
    plan = layout(('timestamp = "at"', f"timestamp = {timestamp}"))
    found = canonical_rows(Chunk(part.rows, part.lines, columns), plan, "tag")
    assert found.table["occurred_at"][0].as_py() == datetime.fromisoformat(f"{expected}+00:00")


def test_arrow_times_of_every_unit_and_zone() -> None:
    at = datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    part = chunk({})
    for unit in ("s", "ms", "us", "ns"):
        for tz in (None, "UTC", "Asia/Tokyo"):
            value = at if tz else at.replace(tzinfo=None)
            cells = pa.array([value], pa.timestamp(unit, tz))
            columns = {**part.columns, "at": cells}
            found = canonical_rows(Chunk(part.rows, part.lines, columns), layout(), "tag")
            assert found.table["occurred_at"][0].as_py() == at


@pytest.mark.parametrize(
    ("keys", "cell", "is_fraud"),
    [
        ('fraud = ["1.0"]', "1.0", True),
        ('fraud = ["1.0"]', 1.0, True),
        ("fraud = [1]", "1.0", True),
        ('genuine = ["2.0"]', "2", False),
        ("fraud = [true]", "TRUE", True),
        ("fraud = [true]", True, True),
        ("genuine = [false]", "False", False),
    ],
)
def test_labels_match_the_layout_in_any_spelling(keys: str, cell: object, is_fraud: bool) -> None:
    changed = layout(("delay_days = 2", f"delay_days = 2\n{keys}"))
    found = canonical_rows(chunk({"y": cell}), changed, "tag")
    assert found.bad == []
    assert found.table["is_fraud"].to_pylist() == [is_fraud]


def test_every_unreadable_cell_makes_a_bad_row() -> None:
    change = ("delay_days = 2", 'known_at = { column = "to", format = "%d/%m/%Y" }')
    shops = ('merchant_id = { column = "to", matches = "^M", prefix = "shop-" }', "")
    toml = COLUMNS.replace(*change).replace(*shops)
    toml = toml.replace('counterparty_id = { column = "to", matches = "^C" }', "")
    plan = parse_layout(toml, "mine.toml")
    rows = [{"to": "05/07/2026"}, {"to": "2026-07-05"}, {"to": "01/01/1900"}, {"to": None}]
    found = canonical_rows(chunk(*rows, {"to": None, "y": None}), plan, "tag")
    assert [(b.row, b.field, b.code) for b in found.bad] == [
        (2, "known_at", "not_a_time"),
        (3, "known_at", "out_of_range"),
    ]
    assert found.bad[0].example == "'2026-07-05'"
    assert found.left_out == {"undated": 1}
    assert found.table["is_fraud"].to_pylist() == [False, None, None]
    dated = toml.replace("known_at =", "undated_days = 9\nknown_at =")
    found = canonical_rows(chunk({"to": None}), parse_layout(dated, "mine.toml"), "tag")
    [row] = found.table.to_pylist()
    assert (row["known_at"] - row["occurred_at"]).days == 9
    assert found.left_out == {}


@pytest.mark.parametrize("marker", ["NULL", "\\N", "nan", "-", "NA"])
def test_markers_are_missing_values_in_any_field(marker: str) -> None:
    fields = {"north": marker, "east": marker, "y": marker, "ip": marker}
    found = canonical_rows(chunk({"card": marker}, fields, {"id": "t2"}), layout(), "tag")
    assert [(b.row, b.field, b.code) for b in found.bad] == [(1, "customer_id", "missing")]
    first = found.table.to_pylist()[0]
    assert [first[n] for n in ("latitude", "is_fraud", "ip_address")] == [None, None, None]


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        ("2024-03-01T00:00:00Z", "2024-03-01T00:00:00"),
        ("2024-02-29", "2024-02-29T12:00:00.123"),  # a day: some time after the payment
        ("2024-02-29T12:00:00.122Z", None),
        ("2024-02-28", None),
    ],
)
def test_a_label_is_not_known_before_its_payment(cell: str, known: str | None) -> None:
    dated = layout(("delay_days = 2", 'known_at = { column = "east" }'))
    found = canonical_rows(chunk({"east": cell, "y": "1"}), without_east(dated), "tag")
    if known is None:
        assert [(bad.field, bad.code) for bad in found.bad] == [("known_at", "before_payment")]
        return
    assert found.bad == []
    assert found.table["known_at"].to_pylist() == [datetime.fromisoformat(f"{known}+00:00")]


def without_east(layout: Layout) -> Layout:
    """The layout without longitudes: their column holds something else here."""
    return replace(layout, degrees={"latitude": "north"})


def test_a_layout_needs_a_delay_unless_it_is_for_tables() -> None:
    bare = COLUMNS.replace("delay_days = 2\n", "")
    with pytest.raises(LayoutInvalid, match=r"label\.delay_days: is missing"):
        parse_layout(bare, "mine.toml")
    table = parse_layout(f'{bare}[tabular]\nnumeric = ["north"]\n', "mine.toml")
    with pytest.raises(LayoutInvalid, match=r"label\.delay_days: is missing: after how many"):
        canonical_rows(chunk({}), table, "tag")


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        # In Berlin the 29th begins at 23:00 of the 28th, UTC.
        ("29/02/2024", "2024-02-29T12:00:00.123"),
        ("01/03/2024", "2024-02-29T23:00:00"),
        ("28/02/2024", None),
    ],
)
def test_a_day_of_local_time_is_known_within_it(cell: str, known: str | None) -> None:
    when = '{ column = "east", format = "%d/%m/%Y", zone = "Europe/Berlin" }'
    dated = layout(("delay_days = 2", f"known_at = {when}"))
    found = canonical_rows(chunk({"east": cell, "y": "1"}), without_east(dated), "tag")
    expected = [] if known else [("known_at", "before_payment")]
    assert [(bad.field, bad.code) for bad in found.bad] == expected
    if known:
        assert found.table["known_at"].to_pylist() == [datetime.fromisoformat(f"{known}+00:00")]
