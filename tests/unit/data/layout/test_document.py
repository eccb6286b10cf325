"""A wrong key of a layout is an error that names the file and the key."""

from __future__ import annotations

import pytest

from data.layout.layout import LayoutInvalid, parse_layout
from tests.contracts.layouts import MINIMAL


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("amount = ", "amonut = "), "columns.amonut: no such key; did you mean amount?"),
        (('amount = "value"', ""), "columns.amount: required, but missing"),
        (
            ('amount = "value"', 'amount = "value"\nmerchnat_id = "m"'),
            "columns.merchnat_id: no such key; did you mean merchant_id?",
        ),
        (('amount = "value"', "amount = 3"), "columns.amount: must be a column's name or a table"),
        (
            ('timestamp = "at"', 'timestamp = { column = "at", unit = "weeks" }'),
            "columns.timestamp.unit: expected 'milliseconds', ",
        ),
        (
            ('timestamp = "at"', 'timestamp = { column = "at", zone = "Mars" }'),
            "columns.timestamp.zone: no such time zone",
        ),
        (
            ('timestamp = "at"', "timestamp = { row_number = true }"),
            "columns.timestamp.unit: is missing",
        ),
        (
            ('timestamp = "at"', 'timestamp = { column = "at", base = "noon" }'),
            "columns.timestamp.base: must be",
        ),
        (('{ constant = "EUR" }', '{ prefix = "E" }'), "columns.currency: needs one of column"),
        (
            ('"card"', '{ column = "card", matches = "(" }'),
            "columns.customer_id.matches: not a regular",
        ),
        (
            ("[columns]", '[file]\nencoding = "utf-16"\n[columns]'),
            "file.encoding: expected an encoding",
        ),
        (
            ("[columns]", '[file]\ndelimiter = "ab"\n[columns]'),
            "file.delimiter: must be one character",
        ),
        (("[columns]", '[label]\ncolumn = "y"\n[columns]'), "label.delay_days: is missing"),
        (
            ("[columns]", '[label]\ncolumn = "y"\ndelay_days = -1\n[columns]'),
            "label.delay_days: expected 0.0 or more",
        ),
        (
            ("[columns]", '[label]\ncolumn = "y"\ndelay_days = 1\ngenuine = [1]\n[columns]'),
            "label.genuine: 1 is also",
        ),
        (('name = "mine"', "name = "), "not TOML"),
        (('name = "mine"', ""), "name: required, but missing"),
        (("[columns]", "[colums]"), "colums: no such key; did you mean columns?"),
        (("[columns]", '[file]\nquote = "ab"\n[columns]'), "file.quote: must be one character"),
        (
            ("[columns]", "[file]\nheadr = false\n[columns]"),
            "headr: no such key; did you",
        ),
        (("[columns]", '[file]\nnames = ["a"]\nheader = true\n[columns]'), "file.names: are"),
        (("[columns]", '[file]\nnames = ["a", "a"]\n[columns]'), "file.names: must differ"),
        (
            ("[columns]", "[file]\nskip_lines = -1\n[columns]"),
            "skip_lines: expected 0 or more",
        ),
        (("[columns]", "[flie]\n[columns]"), "flie: no such key; did you mean file?"),
        (
            ('"at"', '{ column = "at", formt = "%Y" }'),
            "formt: no such key; did you mean",
        ),
        (('"at"', '{ column = "at", format = "%Y-%m-%d %I" }'), "format: needs %I and %p"),
        (('"at"', '{ date = "at" }'), "columns.timestamp.time: is missing"),
        (
            ('"at"', '{ date = "at", time = { column = "t", unit = "days" } }'),
            "time.unit: expected 'milliseconds', ",
        ),
        (('"id"', '{ columns = [], prefix = "x" }'), "columns.transaction_id: needs one of"),
        (
            ('"id"', '{ column = "a", columns = ["b"] }'),
            "transaction_id.columns: is already given under another",
        ),
        (
            ('"at"', '{ date = "d", time = "t", unit = "days" }'),
            "timestamp.unit: must not be combined",
        ),
        (
            ("[columns]", '[label]\ncolumn = "y"\ndelay_days = 1\nundated_days = 2\n[columns]'),
            "label.undated_days: has no effect without `known_at`",
        ),
    ],
)
def test_a_wrong_layout_names_the_file_and_the_key(change: tuple[str, str], expected: str) -> None:
    with pytest.raises(LayoutInvalid) as caught:
        parse_layout(MINIMAL.replace(*change), "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert expected in str(caught.value)


def test_a_label_has_a_source_that_the_api_takes_too() -> None:
    labelled = f'{MINIMAL}[label]\ncolumn = "y"\ndelay_days = 1\nsource = "x-scheme"\n'
    assert parse_layout(labelled, "m.toml").label is not None
    with pytest.raises(LayoutInvalid, match=r"label\.source: must be one of chargeback, "):
        parse_layout(labelled.replace("x-scheme", "somebody"), "m.toml")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"at"', '{ column = "at", unit = "seconds", zone = "Europe/Berlin" }', "timestamp.zone"),
        ('"at"', '{ row_number = true, unit = "days", zone = "Asia/Tokyo" }', "timestamp.zone"),
        ('"at"', '{ column = "at", base = "2017-01-01" }', "timestamp.base"),
        ('"id"', '{ column = "id", join = "-" }', "transaction_id.join"),
        ('{ constant = "EUR" }', '{ constant = "E", values = { E = "EUR" } }', "currency.values"),
        ('{ constant = "EUR" }', '{ constant = "EUR", otherwise = "USD" }', "currency.otherwise"),
        ('"id"', '{ row_number = true, matches = "^1" }', "transaction_id.matches"),
    ],
)
def test_a_key_without_effect_is_refused(old: str, new: str, key: str) -> None:
    with pytest.raises(LayoutInvalid, match=key):
        parse_layout(MINIMAL.replace(old, new, 1), "mine.toml")
