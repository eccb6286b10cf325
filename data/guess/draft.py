"""A layout's fields out of a file's columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from data.cells.currency_signs import MEANT
from data.files.chunk import SourceUnreadable
from data.files.source import open_source
from data.guess.column import Column
from data.guess.column_names import confidence, names_label_time, normalised
from data.guess.dialect import guess_dialect
from data.guess.label import choose_label, leak, meanings
from data.guess.timestamp import guess_timestamp
from data.layout.fields import CsvDialect
from fraud.payment.currency import EXPONENT
from fraud.payment.limits import CHANNEL_SET, COUNTRIES, TYPE_SET

_SAMPLED_ROWS = 50_000
_MAX_CATEGORIES = 200
_CENTS = re.compile(r"(^|_)(cents?|minor|pence|centavos|centimes|paise|kopecks)(_|$)")
_CODES: dict[str, frozenset[str]] = {
    "currency": frozenset(EXPONENT),
    "country": COUNTRIES,
    "channel": CHANNEL_SET,
    "type": TYPE_SET,
}
_SYNONYMS = {
    "type": {
        "sale": "purchase", "buy": "purchase", "pos": "purchase", "wire": "transfer",
        "deposit": "cash_in", "withdrawal": "cash_out", "cash_advance": "cash_out",
        "return": "refund", "reversal": "refund", "bill_payment": "payment",
    },
    "channel": {
        "web": "online", "internet": "online", "ecommerce": "online", "e_commerce": "online",
        "ecom": "online", "app": "mobile", "store": "pos", "in_store": "pos", "chip": "pos",
        "swipe": "pos", "contactless": "pos", "telephone": "phone", "moto": "mail",
    },
}  # fmt: skip
_ORDER = (
    *("transaction_id", "customer_id", "merchant_id", "counterparty_id", "amount", "device_id"),
    *("merchant_category", "ip_address", "country", "currency", "channel", "type"),
    *("latitude", "longitude"),
)


@dataclass
class Draft:
    """A layout that is being made.

    Attributes:
        fields: canonical field -> its value in TOML: a column's name, or a table.
        label: the table `[label]`; {} if there is none.
        numeric, categorical: of `[tabular]`; both empty if the file names who pays.
        notes: what a person should look at.
    """

    name: str
    dialect: CsvDialect | None
    decimal: str
    fields: dict[str, object] = field(default_factory=dict)
    label: dict[str, object] = field(default_factory=dict)
    numeric: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def draft(path: Path) -> Draft:
    """Guess by the names of columns and their first 50,000 cells.

    Raises:
        SourceUnreadable: the file is missing, empty, damaged, or has no rows.
    """
    parquet = path.suffix.lower() in (".parquet", ".pq")
    form = None if parquet else guess_dialect(path)
    columns = _columns(path, form)
    label = choose_label(columns)
    frauds, genuine, sure = meanings(label) if label is not None else ([], [], True)
    leaks = {c.name: why for c in columns if c is not label and (why := leak(c, label, frauds))}
    free = [c for c in columns if c is not label and c.name not in leaks]
    commas = [c for c in free if c.is_number and c.decimal == ","]
    made = Draft(path.name.split(".")[0] or "mine", form, "," if commas else ".")
    when = guess_timestamp(free)
    made.notes += when.notes
    chosen = _chosen([c for c in free if c.name not in when.columns])
    _identities(made, chosen)
    made.fields["timestamp"] = when.toml if len(when.toml) > 1 else when.toml["column"]
    signed = _amount(made, chosen.get("amount"), free)
    _choose_currency(chosen, free)
    _codes(made, chosen)
    if not signed and made.fields["currency"] == {"constant": "USD"}:
        made.notes.append("nothing says which currency it is: USD stands there; check")
    if label is not None:
        _label(made, label, frauds, genuine, sure, columns)
    else:
        made.notes.append(
            "no column looks like a label; labels of a second file: docs/layouts.md, [label.join]"
        )
    if made.fields["customer_id"] == {"row_number": True}:
        _tabular(made, free, when.columns)
    made.notes += [f"not mapped, it may leak: {name}: {why}" for name, why in leaks.items()]
    return made


def _columns(path: Path, form: CsvDialect | None) -> list[Column]:
    source = open_source(path, form)
    names = source.names()
    chunk = next(source.chunks(frozenset(names), 0, _SAMPLED_ROWS), None)
    if chunk is None or not len(chunk.rows):
        raise SourceUnreadable(f"{path}: has no rows to guess from")
    return [Column(name, _plain(chunk.columns[name])) for name in names]


def _plain(cells: pa.Array) -> pa.Array:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _chosen(columns: list[Column]) -> dict[str, Column]:
    """Field -> the column that is most surely it; a column is one field at most."""
    rated = [
        (confidence(name, column.name), -_ORDER.index(name), -i, name, column)
        for name in _ORDER
        for i, column in enumerate(columns)
        if confidence(name, column.name) and _FITS.get(name, _fits_any)(column)
    ]
    found: dict[str, Column] = {}
    taken: set[str] = set()
    for *_, name, column in sorted(rated, key=lambda one: one[:3], reverse=True):
        if name not in found and column.name not in taken:
            found[name] = column
            taken.add(column.name)
    return found


def _fits_any(column: Column) -> bool:
    return column.filled > 0


def _fits_id(column: Column) -> bool:
    """Whether cells may be names of somebody: fractions are measures."""
    return column.filled > 0 and not (column.is_number and not column.is_whole)


def _fits_party(column: Column) -> bool:
    """Whether cells may be names of one of many: a few are states of something."""
    return _fits_id(column) and len(column.values) >= min(20, 0.05 * len(column.cells))


def _fits_customer(column: Column) -> bool:
    return _fits_party(column) and column.filled >= 0.99 * len(column.cells)


def _fits_amount(column: Column) -> bool:
    if not column.is_number or column.is_arrow_time:
        return False
    value = column.numbers.value[column.numbers.known]
    return float((value != 0).mean()) > 0.5


def _fits_degrees(limit: float) -> Callable[[Column], bool]:
    return lambda column: column.is_number and max(map(abs, column.range)) <= limit


_FITS: dict[str, Callable[[Column], bool]] = {
    "transaction_id": lambda column: _fits_id(column) and column.unique,
    "customer_id": _fits_customer,
    "merchant_id": _fits_id,
    "counterparty_id": _fits_party,
    "device_id": _fits_id,
    "amount": _fits_amount,
    "latitude": _fits_degrees(90),
    "longitude": _fits_degrees(180),
}


def _identities(made: Draft, chosen: dict[str, Column]) -> None:
    for name in ("transaction_id", "customer_id"):
        made.fields[name] = chosen[name].name if name in chosen else {"row_number": True}
    if "transaction_id" not in chosen:
        made.notes.append("no column is a unique id of payments: the row's number is")
    if "customer_id" not in chosen:
        made.notes.append("no column says who pays: each row is a customer of its own")
    for name in ("merchant_id", "merchant_category", "counterparty_id", "device_id", "ip_address"):
        if name in chosen:
            made.fields[name] = chosen[name].name
    for name in ("latitude", "longitude"):
        if {"latitude", "longitude"} <= chosen.keys():
            made.fields[name] = chosen[name].name


def _amount(made: Draft, column: Column | None, free: list[Column]) -> bool:
    """Map the amount. Returns whether a sign beside it says which currency it is."""
    if column is None:
        measures = [c for c in free if _fits_amount(c) and not c.is_flag and not c.unique]
        measures = measures or [c for c in free if c.is_number]
        if not measures:
            raise SourceUnreadable("the file has no column of numbers that could be amounts")
        column = next((c for c in measures if not c.is_whole), measures[0])
        made.notes.append(f"no column is named like an amount: {column.name} stands for it; check")
    value: dict[str, object] = {"column": column.name}
    known = column.numbers.value[column.numbers.known]
    if (known < 0).mean() > 0.01:
        value["absolute"] = True
        made.notes.append("some amounts are negative: they are taken without their sign; check")
    if _CENTS.search(normalised(column.name)) and column.is_whole:
        value["unit"] = "minor"
    made.fields["amount"] = value if len(value) > 1 else column.name
    marks = {mark for mark in column.numbers.marks.values() if mark in MEANT}
    made.fields["currency"] = {"constant": _currency(marks)}
    return bool(marks)


def _currency(marks: set[str]) -> str:
    """The currency that all signs beside amounts allow."""
    common = ["USD", "EUR", "GBP", "JPY", "INR"]
    allowed = [c for c in common if all(c in MEANT[mark] for mark in marks)]
    allowed += sorted(frozenset.intersection(*(MEANT[mark] for mark in marks))) if marks else []
    return allowed[0] if allowed else "USD"


def _choose_currency(chosen: dict[str, Column], free: list[Column]) -> None:
    """A column of nothing but codes of currencies is one, whatever its name."""
    if "currency" in chosen:
        return
    for column in free:
        whole = column.filled == len(column.cells) and not column.is_number
        if whole and all(v.upper() in EXPONENT for v in column.values):
            chosen["currency"] = column
            return


def _codes(made: Draft, chosen: dict[str, Column]) -> None:
    for name in ("currency", "country", "channel", "type"):
        if name not in chosen:
            continue
        column, codes = chosen[name], _CODES[name]
        values = {v: _code(v, name) for v in column.values[:_MAX_CATEGORIES]}
        if name == "country" and "NA" in column.cells.to_pylist()[:1000]:
            values.setdefault("NA", "NA")
        known = [v for v in values if values[v] in codes]
        if len(known) < len(values) or len(column.values) > _MAX_CATEGORIES or not known:
            made.notes.append(
                f"{column.name} looks like {name}, but not all of its values are ones that Quorum"
                " knows; it is not mapped"
            )
            continue
        if column.filled < len(column.cells) and name in ("currency", "type"):
            continue
        changed = {v: code for v, code in values.items() if v != code}
        made.fields[name] = {"column": column.name, "values": changed} if changed else column.name
    if "type" not in made.fields:
        kind = "purchase" if "merchant_id" in made.fields else "payment"
        kind = "transfer" if "counterparty_id" in made.fields else kind
        made.fields["type"] = {"constant": kind}


def _code(value: str, name: str) -> str:
    plain = "_".join(value.replace("-", " ").split())
    if name in _SYNONYMS:
        return _SYNONYMS[name].get(plain.lower(), plain.lower())
    return plain.upper()


def _label(
    made: Draft,
    label: Column,
    frauds: list[str],
    genuine: list[str],
    sure: bool,
    columns: list[Column],
) -> None:
    made.label = {"column": label.name, "fraud": frauds or ["1"], "genuine": genuine or ["0"]}
    if not sure:
        said = [", ".join(t or "an empty cell" for t in texts) for texts in (frauds, genuine)]
        made.notes.append(f"{label.name}: {said[0]} is taken for fraud, {said[1]} not; check")
    dated = [c for c in columns if names_label_time(c.name) and (c.is_arrow_time or c.patterns)]
    if dated:
        pattern = dated[0].patterns[0] if dated[0].patterns else ""
        known = {"column": dated[0].name, "format": pattern} if pattern else dated[0].name
        made.label |= {"known_at": known, "undated_days": 30}
        made.notes.append("labels without a day of their own count as known after 30 days; check")
    else:
        made.label["delay_days"] = 30
        made.notes.append("labels count as known 30 days after their payment; check")


def _tabular(made: Draft, free: list[Column], times: tuple[str, ...]) -> None:
    """Columns to learn from where nobody is named: numbers, and names that recur."""
    ids = [made.fields["transaction_id"]]
    for column in free:
        if column.name in times or column.name in ids or not column.filled:
            continue
        amount = made.fields["amount"] in (column.name, {"column": column.name})
        if column.is_number and (amount or not (column.unique and column.is_whole)):
            made.numeric.append(column.name)
        elif not column.is_number and len(column.values) <= _MAX_CATEGORIES:
            made.categorical.append(column.name)
