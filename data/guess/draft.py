"""The draft of a layout, guessed from the columns of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.cells.currency_signs import MEANT
from data.cells.texts import without_dictionary
from data.files.chunk import SourceUnreadable
from data.files.source import is_parquet, open_source
from data.guess.codes import MAX_CATEGORIES, currency_column, currency_of, value_codes
from data.guess.column import Column
from data.guess.column_choice import choose_columns, fits_amount
from data.guess.column_names import names_label_time, normalised
from data.guess.dialect import guess_dialect
from data.guess.label import LabelGuess, guess_label, leak
from data.guess.timestamp import TimestampGuess, guess_timestamp
from data.layout.fields import CsvDialect

DELAY_NOTE = "labels count as known 30 days after their payment; check"

_SAMPLED_ROWS = 50_000
_REPEATS = 1.5
_KEY = re.compile(r"(^|_)(id|nr|no|num|number|ref|reference|uuid|key|hash|token|account|acct)$")
_NAMES_OF_THINGS = ("customer_id", "merchant_id", "counterparty_id", "device_id", "ip_address")
_CENTS = re.compile(r"(^|_)(cents?|minor|pence|centavos|centimes|paise|kopecks)(_|$)")


@dataclass
class Draft:
    """A layout that is not final.

    Attributes:
        dialect: how a CSV file is written; None for Parquet.
        fields: canonical field -> its value in TOML: a column's name, or a table.
        label: the table `[label]`; {} if there is none.
        numeric, categorical: columns of `[tabular]`; both empty if the file has the history of
            customers.
        notes: what the user should check.
        leaks: columns that are not mapped since they may leak the label -> why.
        repeats: rows of each customer on average; 1 without customers.
        has_times: a column holds the time of each row.
    """

    name: str
    dialect: CsvDialect | None
    decimal: str
    fields: dict[str, object] = field(default_factory=dict)
    label: dict[str, object] = field(default_factory=dict)
    numeric: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    leaks: dict[str, str] = field(default_factory=dict)
    repeats: float = 1.0
    has_times: bool = False

    @property
    def has_history(self) -> bool:
        """Whether features of the customers' earlier payments can be computed."""
        return self.has_times and self.repeats >= _REPEATS


LabelChoice = Callable[[list[Column]], LabelGuess | None]
"""Chooses the label among the columns of a file; None if there is none."""


def draft_layout(
    path: Path, label_of: LabelChoice = guess_label, without: Collection[str] = ()
) -> Draft:
    """Guess a layout from the names of columns and their first 50,000 cells.

    Args:
        label_of: chooses the label.
        without: columns to leave out.

    Raises:
        SourceUnreadable: the file is missing, empty, damaged, or has no rows.
    """
    dialect = None if is_parquet(path) else guess_dialect(path)
    columns = [column for column in _columns(path, dialect) if column.name not in without]
    return draft_columns(columns, path.name.split(".")[0] or "mine", dialect, label_of)


def draft_columns(
    columns: list[Column],
    name: str,
    dialect: CsvDialect | None = None,
    label_of: LabelChoice = guess_label,
) -> Draft:
    """Guess a layout from columns and a sample of their cells.

    Args:
        columns: every column of the file, in its order, with at least one row.
        name: of the layout.
        dialect: how a CSV file is written.

    Raises:
        SourceUnreadable: no column holds numbers, so none can be the amount.
    """
    label = label_of(columns)
    others = [c for c in columns if label is None or c is not label.column]
    leaks = {c.name: why for c in others if (why := leak(c, label))}
    free = [c for c in others if c.name not in leaks]
    commas = any(c.is_number and c.decimal == "," for c in free)
    draft = Draft(name, dialect, "," if commas else ".", leaks=leaks)
    time = guess_timestamp(free)
    draft.has_times = bool(time.columns)
    draft.notes += time.notes
    chosen = choose_columns([c for c in free if c.name not in time.columns])
    _map_ids(draft, chosen)
    draft.fields["timestamp"] = time.toml if len(time.toml) > 1 else time.toml["column"]
    has_sign = _map_amount(draft, chosen.get("amount"), free)
    if "currency" not in chosen and (currency := currency_column(free)):
        chosen["currency"] = currency
    _map_codes(draft, chosen)
    if not has_sign and draft.fields["currency"] == {"constant": "USD"}:
        draft.notes.append("the file does not name its currency: USD is assumed; check")
    _map_label(draft, label, columns)
    if "customer_id" in chosen:
        customer = chosen["customer_id"]
        draft.repeats = customer.filled / max(len(customer.values), 1)
    if not draft.has_history:
        _map_table(draft, free, time.columns)
    draft.notes += [
        f"not mapped, because it may leak the label: {name}: {why}" for name, why in leaks.items()
    ]
    return draft


def draft_of_columns(
    name: str, chosen: dict[str, Column], time: Column, decimal: str = "."
) -> Draft:
    """Return the draft of a layout whose columns are known.

    Args:
        chosen: canonical field -> column, with `amount`.
        time: what holds the time of payments.
    """
    draft = Draft(name, None, decimal)
    _map_ids(draft, chosen)
    found = _timestamp_of(time)
    draft.fields["timestamp"] = found.toml if len(found.toml) > 1 else time.name
    draft.notes += found.notes
    _map_amount(draft, chosen["amount"], [])
    _map_codes(draft, chosen)
    return draft


def _timestamp_of(column: Column) -> TimestampGuess:
    """The time in a column that is known to hold it, whatever its name."""
    found = guess_timestamp([column])
    if found.columns:
        return found
    named = guess_timestamp([Column("timestamp", column.cells)])
    toml = {**named.toml, "column": column.name} if named.columns else named.toml
    return replace(named, toml=toml)


def _columns(path: Path, dialect: CsvDialect | None) -> list[Column]:
    source = open_source(path, dialect)
    names = source.names()
    chunk = next(source.chunks(frozenset(names), 0, _SAMPLED_ROWS), None)
    if chunk is None or not len(chunk.rows):
        raise SourceUnreadable(f"{path}: has no rows to guess from")
    return [Column(name, without_dictionary(chunk.columns[name])) for name in names]


def _map_ids(draft: Draft, chosen: dict[str, Column]) -> None:
    for name in ("transaction_id", "customer_id"):
        draft.fields[name] = chosen[name].name if name in chosen else {"row_number": True}
    if "transaction_id" not in chosen:
        draft.notes.append("no column is a unique id of payments: the row number is used")
    if "customer_id" not in chosen:
        draft.notes.append("no column identifies the payer: each row counts as another customer")
    for name in ("merchant_id", "merchant_category", "counterparty_id", "device_id", "ip_address"):
        if name in chosen:
            draft.fields[name] = chosen[name].name
    if {"latitude", "longitude"} <= chosen.keys():
        for name in ("latitude", "longitude"):
            draft.fields[name] = chosen[name].name


def _map_amount(draft: Draft, column: Column | None, free: list[Column]) -> bool:
    """Map the amount and a currency. Return whether a sign beside amounts gives the currency."""
    if column is None:
        column = _likely_amount(free)
        draft.notes.append(f"no column is named like an amount: {column.name} is used; check")
    value: dict[str, object] = {"column": column.name}
    known = column.numbers.value[column.numbers.known]
    if (known < 0).mean() > 0.01:
        value["absolute"] = True
        draft.notes.append("some amounts are negative: their absolute value is used; check")
    if _CENTS.search(normalised(column.name)) and column.is_whole:
        value["unit"] = "minor"
    draft.fields["amount"] = value if len(value) > 1 else column.name
    signs = {mark for mark in column.numbers.marks.values() if mark in MEANT}
    draft.fields["currency"] = {"constant": currency_of(signs)}
    return bool(signs)


def _likely_amount(free: list[Column]) -> Column:
    measures = [c for c in free if fits_amount(c) and not c.is_flag and not c.unique]
    measures = measures or [c for c in free if c.is_number]
    if not measures:
        raise SourceUnreadable("the file has no column of numbers that could be amounts")
    return next((c for c in measures if not c.is_whole), measures[0])


def _map_codes(draft: Draft, chosen: dict[str, Column]) -> None:
    for name in ("currency", "country", "channel", "type"):
        if name not in chosen:
            continue
        column = chosen[name]
        codes = value_codes(name, column)
        if codes is None:
            draft.notes.append(
                f"{column.name} looks like {name}, but Quorum does not know all of its values: it"
                " is not mapped"
            )
            continue
        if column.filled < len(column.cells) and name in ("currency", "type"):
            continue
        changed = {v: code for v, code in codes.items() if v != code}
        draft.fields[name] = {"column": column.name, "values": changed} if changed else column.name
    if "type" not in draft.fields:
        kind = "purchase" if "merchant_id" in draft.fields else "payment"
        kind = "transfer" if "counterparty_id" in draft.fields else kind
        draft.fields["type"] = {"constant": kind}


def _map_label(draft: Draft, label: LabelGuess | None, columns: list[Column]) -> None:
    if label is None:
        draft.notes.append(
            "no column looks like a label; for labels in a second file see docs/layouts.md,"
            " [label.join]"
        )
        return
    name, fraud, genuine = label.column.name, label.fraud, label.genuine
    draft.label = {"column": name, "fraud": fraud or ["1"], "genuine": genuine or ["0"]}
    if not label.certain:
        shown = [", ".join(t or "an empty cell" for t in texts) for texts in (fraud, genuine)]
        draft.notes.append(f"{name}: {shown[0]} is taken for fraud, {shown[1]} for genuine; check")
    dated = [c for c in columns if names_label_time(c.name) and (c.is_arrow_time or c.patterns)]
    if dated:
        pattern = dated[0].patterns[0] if dated[0].patterns else ""
        known = {"column": dated[0].name, "format": pattern} if pattern else dated[0].name
        draft.label |= {"known_at": known, "undated_days": 30}
        draft.notes.append("labels without a date count as known after 30 days; check")
    else:
        draft.label["delay_days"] = 30
        draft.notes.append(DELAY_NOTE)


def _map_table(draft: Draft, free: list[Column], times: tuple[str, ...]) -> None:
    """Choose the columns to learn from in a file without the history of customers: numbers and
    categories, but no names of things."""
    named = [draft.fields.get(field) for field in _NAMES_OF_THINGS]
    for column in free:
        name = column.name
        if name in times or name == draft.fields["transaction_id"] or not column.filled:
            continue
        is_amount = draft.fields["amount"] in (name, {"column": name})
        is_code = column.is_whole and draft.fields.get("merchant_category") == name
        few = len(column.values) <= MAX_CATEGORIES
        if name in named and not few:
            continue
        if column.is_number and not (is_code and few):
            if is_amount or not (column.is_whole and _names_rows(column)):
                draft.numeric.append(name)
        elif few:
            draft.categorical.append(name)


def _names_rows(column: Column) -> bool:
    """Whether whole numbers number the rows, or things that rows are about."""
    is_key = _KEY.search(normalised(column.name)) is not None
    return column.unique or (is_key and len(column.values) > MAX_CATEGORIES)
