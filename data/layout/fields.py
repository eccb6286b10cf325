"""Where each canonical field of a payment comes from in a file. The format: docs/layouts.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from data.cells.texts import DEFAULT_MISSING, Markers
from fraud.payment.batch import TRANSACTION_COLUMNS

TEXT_FIELDS = tuple(
    name
    for name in TRANSACTION_COLUMNS
    if name not in ("timestamp_ms", "amount_minor", "latitude", "longitude")
)
"""Canonical fields that hold text, in canonical order."""

REQUIRED = ("transaction_id", "customer_id", "currency", "type")
UNIT_MS = {
    "milliseconds": 1.0,
    "microseconds": 1e-3,
    "nanoseconds": 1e-6,
    "seconds": 1e3,
    "minutes": 6e4,
    "hours": 3.6e6,
    "days": 8.64e7,
}


@dataclass(frozen=True, slots=True)
class FileForm:
    """How a text file is written; nothing of it matters to Parquet.

    Attributes:
        delimiter, encoding: of the file.
        quote: sign around values that hold a delimiter; None: no sign has a meaning.
        escape: sign before one that has its meaning taken; None: a quote is doubled instead.
        header: the first line names the columns.
        names: of the columns of a file without a header; (): they are numbered from 1.
        skip_lines: lines before the header that are no part of the table.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str | None = '"'
    escape: str | None = None
    header: bool = True
    names: tuple[str, ...] = ()
    skip_lines: int = 0


@dataclass(frozen=True, slots=True)
class TextField:
    """Where a text comes from: columns, a constant or the row's number.

    Attributes:
        columns: of the file; () if `constant` or `row_number` gives the value.
        joint: put between the texts of several columns.
        values: replaces values; one that is not listed stays as it is, or becomes `otherwise`.
        matches: a value in which it finds nothing counts as missing.
        prefix: put before every value.
        missing: texts that stand for nothing.
    """

    columns: tuple[str, ...] = ()
    joint: str = "-"
    constant: str | None = None
    row_number: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    matches: re.Pattern[str] | None = None
    prefix: str = ""
    missing: Markers = DEFAULT_MISSING


@dataclass(frozen=True, slots=True)
class ClockField:
    """A column with times of the day.

    Attributes:
        unit_ms: length of a unit that is counted since midnight; None: the column holds times.
        format: strptime pattern of times in text; None: ISO 8601.
    """

    column: str
    unit_ms: float | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class TimeField:
    """Where a time comes from: a date-time, a day and a time, or a count of units since a base.

    Attributes:
        columns: of the file, their texts put together with a space; (): the row's number is the
            count.
        unit_ms: length of a unit; None: the columns hold date-times.
        base_ms: where the count begins, milliseconds since 1970.
        zone: of date-times that do not name their own.
        format: strptime pattern of date-times in text; None: ISO 8601.
        clock: the columns hold days, and this the time of the day.
        missing: texts that stand for nothing.
    """

    columns: tuple[str, ...]
    unit_ms: float | None = None
    base_ms: int = 0
    zone: str = "UTC"
    format: str | None = None
    clock: ClockField | None = None
    missing: Markers = DEFAULT_MISSING

    def reads(self) -> frozenset[str]:
        """Columns of the file that it needs."""
        clock = () if self.clock is None else (self.clock.column,)
        return frozenset((*self.columns, *clock))


@dataclass(frozen=True, slots=True)
class AmountField:
    """Where the amount comes from.

    Attributes:
        minor: the column counts minor units, not currency units.
        round: round decimals that the currency has not, rather than refuse the row.
        absolute: a debit written as a negative number is its absolute value.
        ignore: texts to take out of a cell first.
        decimal: what stands before decimals in a text.
        missing: texts that stand for nothing.
    """

    column: str
    minor: bool = False
    round: bool = False
    absolute: bool = False
    ignore: tuple[str, ...] = ()
    decimal: str = "."
    missing: Markers = DEFAULT_MISSING


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
        fraud, genuine: texts of the column; anything else makes a bad row, a missing one no
            label, unless "" is listed.
        known_at: when it was known; None: `delay_ms` after the payment.
        delay_ms: None only of a layout for tables, which have no use for it.
        undated_ms: a label whose `known_at` is missing was known so long after the payment; None:
            it is left out, and counted.
        source: kept with each label.
        missing: texts that stand for nothing.
    """

    column: str
    fraud: frozenset[str]
    genuine: frozenset[str]
    known_at: TimeField | None
    delay_ms: int | None
    source: str
    join: LabelJoin | None
    undated_ms: int | None = None
    missing: Markers = DEFAULT_MISSING


@dataclass(frozen=True, slots=True)
class TabularFields:
    """The columns that a model sees of a set without entities, in their order.

    Attributes:
        numeric: columns of numbers.
        categorical: columns whose values are names, even if they are written as numbers.
        decimal: what stands before decimals in a text.
        missing: texts that stand for nothing.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    decimal: str = "."
    missing: Markers = DEFAULT_MISSING
