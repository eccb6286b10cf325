"""A layout: which columns of a file make the canonical transaction. The format: docs/layouts.md."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from fraud.batch import TRANSACTION_COLUMNS
from fraud.errors import QuorumError
from training.data.toml_table import Table

TEXT_FIELDS = tuple(
    name
    for name in TRANSACTION_COLUMNS
    if name not in ("timestamp_ms", "amount_minor", "latitude", "longitude")
)
"""Canonical fields that hold text, in canonical order."""

REQUIRED = ("transaction_id", "customer_id", "currency", "type")
REPEATED = ("reject", "apart")
"""It may be refused, or kept apart under an id made of its own, its time and its customer."""

UNIT_MS = {
    "milliseconds": 1.0,
    "microseconds": 1e-3,
    "nanoseconds": 1e-6,
    "seconds": 1e3,
    "minutes": 6e4,
    "hours": 3.6e6,
    "days": 8.64e7,
}


WHOLE = r"^(-?(?:0|[1-9]\d{0,15}))\.0$"
"""A whole number that a gap in its column turned into a decimal; group 1 is what it was."""


class LayoutInvalid(QuorumError):
    """A layout that cannot be used. The message names the file and the key."""


@dataclass(frozen=True, slots=True)
class TextField:
    """Where a text comes from: a column, a constant or the row's number.

    Attributes:
        column: of the file; None if `constant` or `row_number` gives the value.
        values: replaces values; one that is not listed stays as it is, or becomes `otherwise`.
        matches: a value in which it finds nothing counts as missing.
        prefix: put before every value.
    """

    column: str | None = None
    constant: str | None = None
    row_number: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    matches: re.Pattern[str] | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class TimeField:
    """Where a time comes from: a date-time, or a count of units since a base.

    Attributes:
        column: of the file; None: the row's number is the count.
        unit_ms: length of a unit; None: the column holds date-times.
        base_ms: where the count begins, milliseconds since 1970.
        zone: of date-times that do not name their own.
        format: strptime pattern of date-times in text; None: ISO 8601.
    """

    column: str | None
    unit_ms: float | None = None
    base_ms: int = 0
    zone: str = "UTC"
    format: str | None = None


@dataclass(frozen=True, slots=True)
class AmountField:
    """Where the amount comes from.

    Attributes:
        minor: the column counts minor units, not currency units.
        round: round decimals that the currency has not, rather than refuse the row.
        absolute: a debit written as a negative number is its absolute value.
        ignore: texts to take out of a cell first: signs of currencies, thousands separators.
        decimal: what stands before decimals in a text.
    """

    column: str
    minor: bool = False
    round: bool = False
    absolute: bool = False
    ignore: tuple[str, ...] = ()
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class LabelJoin:
    """Labels that lie in a second file, by key.

    Attributes:
        replace: what to replace by what in the file's name to get the second file's.
        key: column of the second file.
        rows: columns of the first; the row is fraud if every one of them leads to fraud.
    """

    replace: tuple[str, str]
    key: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelField:
    """What it turned out to be, and when that was known.

    Attributes:
        column: of the file, or of the joined file.
        fraud, genuine: texts of the column; anything else makes a bad row, a missing one no label.
        known_at: when it was known; None: `delay_ms` after the payment.
        source: kept with each label.
    """

    column: str
    fraud: frozenset[str]
    genuine: frozenset[str]
    known_at: TimeField | None
    delay_ms: int
    source: str
    join: LabelJoin | None


@dataclass(frozen=True, slots=True)
class TabularFields:
    """The columns that a model sees of a set without entities, in their order.

    Attributes:
        numeric: columns of numbers.
        categorical: columns whose values are names, even if they are written as numbers.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked layout.

    Attributes:
        text: field -> where it comes from; fields that the file has not are absent.
        degrees: `latitude` and `longitude` -> column.
        delimiter, encoding: of CSV files.
        may_lack: a file may lack the columns of optional fields and of the label.
        digest_text: the TOML itself: a changed layout makes another source.
        tabular: the columns that `quorum train --tabular` learns from; None: no such columns.
        repeated: what is done with a row whose id is that of another payment; one of `REPEATED`.
    """

    name: str
    about: str
    text: Mapping[str, TextField]
    timestamp: TimeField
    amount: AmountField
    degrees: Mapping[str, str]
    label: LabelField | None
    delimiter: str
    encoding: str
    may_lack: bool
    digest_text: str
    tabular: TabularFields | None = None
    repeated: str = "reject"

    def without(self, absent: frozenset[str]) -> Layout:
        """The layout of a file that lacks the columns `absent`.

        Raises:
            LayoutInvalid: a required field, or any field unless `may_lack`, needs one of them.
        """
        lost = sorted(self.columns() & absent)
        if not lost:
            return self
        text = {n: f for n, f in self.text.items() if f.column not in absent}
        essential = {n: f for n, f in self.text.items() if n in REQUIRED and n not in text}
        wanted = {f.column or "" for f in essential.values()}
        wanted |= {c for c in (self.timestamp.column, self.amount.column) if c in absent and c}
        if not self.may_lack:
            wanted = set(lost)
        if wanted:
            missing = ", ".join(sorted(wanted))
            raise LayoutInvalid(f"layout {self.name}: the file has no column {missing}")
        rest = replace(
            self,
            text=text,
            degrees={n: c for n, c in self.degrees.items() if c not in absent},
            label=None,
        )
        whole = replace(rest, label=self.label)
        return rest if whole.columns() & absent else whole

    def columns(self) -> frozenset[str]:
        """Every column of the file that the layout reads."""
        wanted: set[str | None] = {f.column for f in self.text.values()}
        wanted |= {self.timestamp.column, self.amount.column, *self.degrees.values()}
        if self.label is not None:
            join = self.label.join
            wanted |= {self.label.column} if join is None else set(join.rows)
            if self.label.known_at is not None:
                wanted.add(self.label.known_at.column)
        return frozenset(c for c in wanted if c is not None)

    def source_id(self, file_digest: str) -> str:
        """SHA-256, hex, over a file's own and the layout: either changed is another source."""
        return hashlib.sha256(f"{file_digest}\n{self.digest_text}".encode()).hexdigest()


def layout_names() -> list[str]:
    """Names of the layouts that come with Quorum, sorted."""
    folder = files("training.data").joinpath("layouts")
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def load_layout(name_or_path: str) -> Layout:
    """A layout by its name, or from a TOML file of one's own.

    Raises:
        LayoutInvalid: no such layout, or a key of it is wrong.
    """
    if name_or_path in layout_names():
        place = files("training.data").joinpath("layouts", f"{name_or_path}.toml")
        return parse_layout(place.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(layout_names())
        raise LayoutInvalid(f"no layout {name_or_path}: neither a file nor one of {known}")
    try:
        return parse_layout(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise LayoutInvalid(f"{path}: is not UTF-8 text") from None


def parse_layout(toml: str, origin: str) -> Layout:
    """Layout from TOML text.

    Args:
        origin: file name for messages.

    Raises:
        LayoutInvalid: the message names `origin` and the key.
    """
    try:
        document = Table(tomllib.loads(toml), origin)
        return _layout(document, toml)
    except tomllib.TOMLDecodeError as error:
        raise LayoutInvalid(f"{origin}: not TOML: {error}") from None
    except ValueError as error:
        raise LayoutInvalid(str(error)) from None


def _layout(document: Table, toml: str) -> Layout:
    columns = document.table("columns")
    file = document.table("file", required=False)
    text = {n: _text(columns.entry(n)) for n in TEXT_FIELDS if n in columns}
    for name in REQUIRED:
        if name not in text:
            raise ValueError(f"{columns.where}.{name}: is missing")
    layout = Layout(
        name=document.text("name"),
        about=document.text("about", ""),
        text=text,
        timestamp=_time(columns.entry("timestamp")),
        amount=_amount(columns.entry("amount")),
        degrees={n: columns.text(n) for n in ("latitude", "longitude") if n in columns},
        label=_label(document.table("label")) if "label" in document else None,
        delimiter=file.text("delimiter", ","),
        encoding=file.codec("encoding", "utf-8"),
        may_lack=file.one_of("missing_columns", ("refuse", "ignore")) == "ignore",
        digest_text=toml,
        tabular=_tabular(document.table("tabular")) if "tabular" in document else None,
        repeated=_repeated(document.table("transaction_id", required=False)),
    )
    if len(layout.delimiter) != 1:
        raise ValueError(f"{file.where}.delimiter: must be one character")
    for part in (document, columns, file):
        part.refuse_unread()
    return layout


def _repeated(entry: Table) -> str:
    found = entry.one_of("repeated", REPEATED) or REPEATED[0]
    entry.refuse_unread()
    return found


def _tabular(entry: Table) -> TabularFields:
    found = TabularFields(
        numeric=tuple(entry.text_list("numeric") if "numeric" in entry else ()),
        categorical=tuple(entry.text_list("categorical") if "categorical" in entry else ()),
    )
    named = (*found.numeric, *found.categorical)
    if not named:
        raise ValueError(f"{entry.where}: needs a column in numeric or categorical")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ValueError(f"{entry.where}: {twice[0]} is listed twice")
    entry.refuse_unread()
    return found


def _text(entry: Table) -> TextField:
    found = TextField(
        column=entry.text("column", None),
        constant=entry.text("constant", None),
        row_number=entry.flag("row_number"),
        values={_whole(value): text for value, text in entry.texts("values").items()},
        otherwise=entry.text("otherwise", None),
        matches=entry.pattern("matches"),
        prefix=entry.text("prefix", ""),
    )
    given = (found.column is not None) + (found.constant is not None) + found.row_number
    if given != 1:
        raise ValueError(f"{entry.where}: needs one of column, constant, row_number = true")
    entry.refuse_unread()
    return found


def _whole(value: str) -> str:
    """A value as cells have it: see `cells.texts`."""
    return re.sub(WHOLE, r"\1", value)


def _time(entry: Table) -> TimeField:
    unit = entry.one_of("unit", UNIT_MS)
    column = entry.text("column", None)
    if (column is not None) == entry.flag("row_number"):
        raise ValueError(f"{entry.where}: needs one of column, row_number = true")
    if column is None and unit is None:
        raise ValueError(f"{entry.where}.unit: is missing: what does one row stand for?")
    found = TimeField(
        column=column,
        unit_ms=None if unit is None else UNIT_MS[unit],
        base_ms=entry.moment_ms("base", 0),
        zone=entry.zone("zone", "UTC"),
        format=entry.text("format", None),
    )
    entry.refuse_unread()
    return found


def _amount(entry: Table) -> AmountField:
    found = AmountField(
        column=entry.text("column"),
        minor=entry.one_of("unit", ("major", "minor")) == "minor",
        round=entry.flag("round"),
        absolute=entry.flag("absolute"),
        ignore=tuple(entry.text_list("ignore") if "ignore" in entry else ()),
        decimal=entry.one_of("decimal", (".", ",")) or ".",
    )
    if found.decimal in found.ignore or "" in found.ignore:
        raise ValueError(f"{entry.where}.ignore: must list neither the decimal sign nor nothing")
    entry.refuse_unread()
    return found


def _label(entry: Table) -> LabelField:
    known_at = _time(entry.entry("known_at")) if "known_at" in entry else None
    delay_days = entry.number("delay_days", None if known_at is None else 0.0)
    if not 0 <= delay_days <= 3650:
        raise ValueError(f"{entry.where}.delay_days: must lie between 0 and 3650")
    join = _join(entry.table("join")) if "join" in entry else None
    found = LabelField(
        column=entry.text("column"),
        fraud=frozenset(map(_whole, entry.text_set("fraud", ("1", "true", "True", "TRUE")))),
        genuine=frozenset(map(_whole, entry.text_set("genuine", ("0", "false", "False", "FALSE")))),
        known_at=known_at,
        delay_ms=round(delay_days * 86_400_000),
        source=entry.text("source", "history"),
        join=join,
    )
    both = sorted(found.fraud & found.genuine)
    if both:
        raise ValueError(f"{entry.where}.genuine: {both[0]} is also listed as fraud")
    entry.refuse_unread()
    return found


def _join(entry: Table) -> LabelJoin:
    rows = entry.text_list("rows")
    replace = entry.text_list("replace")
    if len(replace) != 2:
        raise ValueError(f"{entry.where}.replace: needs two texts: the old one and the new one")
    if not rows:
        raise ValueError(f"{entry.where}.rows: must not be empty")
    found = LabelJoin((replace[0], replace[1]), entry.text("key"), tuple(rows))
    entry.refuse_unread()
    return found
