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
"""CanonicalRows fields that hold text, in canonical order."""

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
class CsvDialect:
    """How a CSV file is written.

    Attributes:
        quote: character around values that hold a delimiter; None: values are not quoted.
        escape: character that makes the next one literal; None: a quote is doubled instead.
        header: the first line names the columns.
        names: columns of a file without a header; (): they are numbered from 1.
        skip_lines: lines before the header that are not part of the table.
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
        separator: put between the texts of several columns.
        values: value -> its replacement; others stay as they are, or become `otherwise`.
        matches: a value that it does not match anywhere is missing.
        prefix: put before every value.
        missing: missing-value markers.
    """

    columns: tuple[str, ...] = ()
    separator: str = "-"
    constant: str | None = None
    row_number: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    matches: re.Pattern[str] | None = None
    prefix: str = ""
    missing: Markers = DEFAULT_MISSING


@dataclass(frozen=True, slots=True)
class ClockField:
    """A column of times of the day.

    Attributes:
        unit_ms: length of the unit that counts since midnight; None: the column holds times.
        format: strptime pattern of times in text; None: ISO 8601.
    """

    column: str
    unit_ms: float | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class TimeField:
    """Where a time comes from: a date-time, a day and a time, or a count of units since a base.

    Attributes:
        columns: of the file, their texts joined by a space; (): the row's number is the count.
        unit_ms: length of a unit; None: the columns hold date-times.
        base_ms: start of the count, milliseconds since 1970.
        zone: time zone of date-times that do not name theirs.
        format: strptime pattern of date-times in text; None: ISO 8601.
        clock: the time of the day, where the columns hold days.
        missing: missing-value markers.
    """

    columns: tuple[str, ...]
    unit_ms: float | None = None
    base_ms: int = 0
    zone: str = "UTC"
    format: str | None = None
    clock: ClockField | None = None
    missing: Markers = DEFAULT_MISSING

    def columns_read(self) -> frozenset[str]:
        """Return the columns of the file that the time is read from."""
        clock = () if self.clock is None else (self.clock.column,)
        return frozenset((*self.columns, *clock))


@dataclass(frozen=True, slots=True)
class AmountField:
    """Where the amount comes from.

    Attributes:
        minor: the column counts minor units, not currency units.
        round: round decimals that the currency does not have, instead of rejecting the row.
        absolute: take the absolute value of a negative amount.
        ignore: texts to remove from a cell first.
        decimal: the decimal sign.
        missing: missing-value markers.
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
    """Labels in a second file, by key.

    Attributes:
        replace: the part of the file's name to replace, and what to put there, to get the second
            file's name.
        key: column of the second file.
        rows: columns of the first file that hold keys. A row is fraud if all its keys are.
    """

    replace: tuple[str, str]
    key: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelField:
    """What a payment turned out to be, and when that was known.

    Attributes:
        column: of the file, or of the joined file.
        fraud, genuine: texts with these meanings. Other texts make a bad row. An empty cell is no
            label unless "" is listed.
        known_at: when the label was known; None: `delay_ms` after the payment.
        delay_ms: None only in a layout for tables, which do not need it.
        undated_ms: how long after the payment a label without `known_at` was known; None: such a
            label is left out and counted.
        source: stored with each label.
        missing: missing-value markers.
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
    """The input columns of a table without entities, in order.

    Attributes:
        numeric: columns of numbers.
        categorical: columns of categories, even if these are written as numbers.
        decimal: the decimal sign.
        missing: missing-value markers.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    decimal: str = "."
    missing: Markers = DEFAULT_MISSING
