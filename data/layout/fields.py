"""The tables of a layout that say where each canonical field of a payment comes from.

They are the TOML as it is written, checked by pydantic. The format: docs/layouts.md.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from data.cells.texts import DEFAULT_MISSING
from data.layout.value_kinds import (
    Character,
    ClockFormat,
    ClockUnit,
    ColumnOr,
    Columns,
    DateFormat,
    Days,
    Encoding,
    EpochMs,
    LabelSource,
    LabelTexts,
    Missing,
    Name,
    Names,
    Quote,
    Regex,
    Replacements,
    Table,
    Unit,
    Zone,
)
from fraud.payment.batch import TRANSACTION_COLUMNS
from settings.toml_file import key_error

TEXT_FIELDS = tuple(
    name
    for name in TRANSACTION_COLUMNS
    if name not in ("timestamp_ms", "amount_minor", "latitude", "longitude")
)
"""Canonical fields that hold text, in canonical order."""

REQUIRED = ("transaction_id", "customer_id", "currency", "type")

_DAY_MS = 86_400_000
_UNIT_MS = {
    "milliseconds": 1.0,
    "microseconds": 1e-3,
    "nanoseconds": 1e-6,
    "seconds": 1e3,
    "minutes": 6e4,
    "hours": 3.6e6,
    "days": 8.64e7,
}
_FRAUD = frozenset(("1", "true", "yes", "Yes", "YES", "y", "Y", "t", "T"))
_GENUINE = frozenset(("0", "false", "no", "No", "NO", "n", "N", "f", "F"))


class CsvDialect(Table):
    """How a CSV file is written.

    Attributes:
        quote: character around values that hold a delimiter; None: values are not quoted.
        escape: character that makes the next one literal; None: a quote is doubled instead.
        names: columns of a file without a header; (): they are numbered from 1.
        header: the first line names the columns.
        skip_lines: lines before the header that are not part of the table.
    """

    delimiter: Character = ","
    encoding: Encoding = "utf-8"
    quote: Quote = '"'
    escape: Character | None = None
    names: Names = ()
    header: bool = Field(default_factory=lambda data: not data.get("names"))
    skip_lines: NonNegativeInt = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.names and self.header:
            raise key_error("names", "are for a file without a header: set header = false")
        if self.delimiter in (self.quote, self.escape):
            raise key_error("delimiter", "must differ from `quote` and `escape`")
        if len(set(self.names)) < len(self.names):
            raise key_error("names", "must differ from each other")
        return self


class TextField(Table):
    """Where a text comes from: columns, a constant or the row's number.

    Attributes:
        join: separator of the texts of several columns.
        values: value -> its replacement; others stay as they are, or become `otherwise`.
        matches: regular expression; a value without a match counts as missing.
        prefix: put before every value.
        missing: missing-value markers.
    """

    columns: Columns = ()
    constant: Name | None = None
    row_number: bool = False
    join: Name = "-"
    values: Replacements = Field(default_factory=dict)
    otherwise: Name | None = None
    matches: Regex | None = None
    prefix: Name = ""
    missing: Missing = DEFAULT_MISSING

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(map(bool, (self.columns, self.constant, self.row_number))) != 1:
            raise ValueError("needs one of column, columns, constant, row_number = true")
        # A key without effect is refused: its author expects one.
        if self.has("join") and len(self.columns) < 2:
            raise key_error("join", "has no effect: it separates the texts of several columns")
        for key in ("matches", "values", "otherwise", "missing"):
            if self.has(key) and not self.columns:
                raise key_error(key, "has no effect without a column")
        return self


class ClockField(Table):
    """A column of times of the day, or of a count of units since midnight.

    Attributes:
        format: strptime pattern of times in text; None: ISO 8601.
    """

    column: Name
    unit: ClockUnit | None = None
    format: ClockFormat | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.unit is not None and self.format is not None:
            raise key_error("unit", "is for a count, which has no format")
        return self

    @property
    def unit_ms(self) -> float | None:
        """Length of the unit; None: the column holds times."""
        return None if self.unit is None else _UNIT_MS[self.unit]


class DayField(Table):
    """Columns whose texts, joined by a space, are dates or date-times.

    Attributes:
        format: strptime pattern of the texts; None: ISO 8601.
    """

    columns: Columns = ()
    format: DateFormat | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.columns:
            raise ValueError("needs `column` or `columns`")
        return self


class TimeField(Table):
    """Where a time comes from: a date-time, a day and a time, or a count of units since a base.

    Attributes:
        base_ms: start of the count, milliseconds since 1970.
        zone: time zone of date-times that do not name theirs.
        format: strptime pattern of date-times in text; None: ISO 8601.
        date, time: a day and the time of the day in different columns.
        missing: missing-value markers.
    """

    columns: Columns = ()
    row_number: bool = False
    unit: Unit | None = None
    base_ms: EpochMs = Field(default=0, validation_alias="base")
    zone: Zone = "UTC"
    format: DateFormat | None = None
    date: ColumnOr[DayField] | None = None
    time: ColumnOr[ClockField] | None = None
    missing: Missing = DEFAULT_MISSING

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.has("date") or self.has("time"):
            return self._check_day_and_time()
        if bool(self.columns) == self.row_number:
            raise ValueError("needs one of column, columns, date and time, row_number = true")
        if self.unit is None:
            if self.row_number:
                raise key_error("unit", "is missing: how much time does one row stand for?")
            if self.has("base_ms"):
                raise key_error("base", "has no effect without `unit`: only a count has a base")
        elif len(self.columns) > 1 or self.format is not None:
            raise key_error("unit", "is for a count, which is one column without a format")
        elif self.has("zone"):
            raise key_error("zone", "has no effect: a count is since `base`, in UTC")
        return self

    def _check_day_and_time(self) -> Self:
        for key, other in (("date", "time"), ("time", "date")):
            if not self.has(key):
                raise key_error(key, f"is missing: `{other}` needs it")
        for key in ("columns", "row_number", "unit", "base_ms", "format"):
            if self.has(key):
                raise key_error(
                    key.removesuffix("_ms"), "must not be combined with `date` and `time`"
                )
        return self

    @property
    def unit_ms(self) -> float | None:
        """Length of a unit; None: the columns hold date-times."""
        return None if self.unit is None else _UNIT_MS[self.unit]

    @property
    def day(self) -> DayField | TimeField:
        """What gives the columns of days or date-times, and their format."""
        return self.date or self

    def columns_read(self) -> frozenset[str]:
        """Return the columns of the file that the time is read from."""
        clock = () if self.time is None else (self.time.column,)
        return frozenset((*self.day.columns, *clock))


class AmountField(Table):
    """Where the amount comes from.

    Attributes:
        unit: whether the column counts minor units or currency units.
        round: round decimals that the currency does not have, instead of rejecting the row.
        absolute: take the absolute value of a negative amount.
        ignore: texts to remove from a cell first.
        decimal: the decimal sign.
        missing: missing-value markers.
    """

    column: Name
    unit: Literal["major", "minor"] = "major"
    round: bool = False
    absolute: bool = False
    ignore: Names = ()
    decimal: Literal[".", ","] = "."
    missing: Missing = DEFAULT_MISSING


class LabelJoin(Table):
    """Labels in a second file, by key.

    Attributes:
        replace: the part of the file's name to replace, and what to put there, to get the second
            file's name.
        key: column of the second file.
        rows: columns of the first file that hold keys. A row is fraud if all its keys are.
    """

    replace: Names
    key: Name
    rows: Names

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.replace) != 2:
            raise key_error("replace", "needs two texts: the old one and the new one")
        if not self.rows:
            raise key_error("rows", "must not be empty")
        return self


class LabelField(Table):
    """What a payment turned out to be, and when that was known.

    Attributes:
        column: of the file, or of the joined file.
        fraud, genuine: texts with these meanings. Other texts make a bad row. An empty cell is no
            label unless "" is listed.
        known_at: when the label was known; None: `delay_ms` after the payment.
        source: stored with each label.
        missing: missing-value markers.
    """

    column: Name
    fraud: LabelTexts = _FRAUD
    genuine: LabelTexts = _GENUINE
    known_at: ColumnOr[TimeField] | None = None
    delay_days: Days | None = None
    undated_days: Days | None = None
    source: LabelSource = "history"
    join: LabelJoin | None = None
    missing: Missing = DEFAULT_MISSING

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.undated_days is not None and self.known_at is None:
            raise key_error("undated_days", "has no effect without `known_at`")
        if both := sorted(self.fraud & self.genuine):
            raise key_error("genuine", f"{both[0]} is also listed as fraud")
        return self

    @property
    def delay_ms(self) -> int | None:
        """Delay of labels; None only in a layout for tables, which do not need it."""
        days = 0.0 if self.delay_days is None and self.known_at is not None else self.delay_days
        return None if days is None else round(days * _DAY_MS)

    @property
    def undated_ms(self) -> int | None:
        """How long after the payment a label without `known_at` was known; None: such a label is
        left out and counted."""
        return None if self.undated_days is None else round(self.undated_days * _DAY_MS)


class TabularFields(Table):
    """The input columns of a table without entities, in order.

    Attributes:
        numeric: columns of numbers.
        categorical: columns of categories, even if these are written as numbers.
    """

    numeric: Names = ()
    categorical: Names = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = (*self.numeric, *self.categorical)
        if not named:
            raise ValueError("needs a column in `numeric` or `categorical`")
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{twice[0]} is listed twice")
        return self
