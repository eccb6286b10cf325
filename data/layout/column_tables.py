"""The tables of a layout that say where one field comes from, as pydantic models."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    model_validator,
)

from data.cells.texts import Markers, canonical_text, markers
from data.cells.time_format import pattern_reader
from data.layout.fields import UNIT_MS, AmountField, ClockField, TextField, TimeField
from settings.toml_file import key_error

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Table(BaseModel):
    """A table of a layout. A key that it does not declare is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def has(self, key: str) -> bool:
        """Whether the file gives this key."""
        return key in self.model_fields_set


T = TypeVar("T", bound=Table)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; expected a name such as Europe/Berlin") from None
    return name


def _regex(text: Any) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise ValueError(f"not a regular expression: {error}") from None


def _epoch_ms(text: Any) -> int:
    """A date or date-time in milliseconds since 1970. Without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError("must be an ISO 8601 date-time") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return round((at - _EPOCH).total_seconds() * 1000)


def _date_format(pattern: str) -> str:
    pattern_reader(pattern)
    return pattern


def _clock_format(pattern: str) -> str:
    pattern_reader(pattern, of_day=True)
    return pattern


def _tagged(choose: Any) -> Discriminator:
    message = "must be a column's name or a table"
    return Discriminator(choose, custom_error_type="no_column", custom_error_message=message)


def _column_or_table(value: Any) -> str | None:
    if isinstance(value, str):
        return "column"
    return "table" if isinstance(value, dict) else None


def _time_form(value: Any) -> str | None:
    if isinstance(value, dict) and not value.keys().isdisjoint({"date", "time"}):
        return "day and clock"
    return _column_or_table(value)


Name = Annotated[str, Field(min_length=1)]
Names = tuple[str, ...]
Zone = Annotated[str, AfterValidator(_zone)]
Regex = Annotated[re.Pattern[str], PlainValidator(_regex)]
DateFormat = Annotated[Name, AfterValidator(_date_format)]
ColumnOr = Annotated[
    Annotated[Name, Tag("column")] | Annotated[T, Tag("table")], _tagged(_column_or_table)
]
"""A column's name `x`, which is short for `{ column = "x" }`, or a table."""


def as_table(kind: type[T], value: str | T) -> T:
    """The table that a `ColumnOr` stands for."""
    return kind.model_validate({"column": value}) if isinstance(value, str) else value


def as_cell(value: str) -> str:
    """A value of the layout in the form in which cells are read (`texts.canonical_text`)."""
    plain = value.strip()
    return canonical_text(plain) or plain


def own_or(default: Markers, own: Names | None) -> Markers:
    """The missing-value markers of a field: its own list, or those of the file."""
    return default if own is None else markers(list(own))


class _Columns(Table):
    column: Name | None = None
    columns: Names = ()

    @property
    def read(self) -> Names:
        """The columns to read."""
        return self.columns if self.column is None else (self.column,)

    def refuse_both(self) -> None:
        if self.column is not None and self.columns:
            raise key_error("columns", "must not stand beside `column`")


class TextTable(_Columns):
    """A text: of one or several columns, a constant or the row's number."""

    constant: Name | None = None
    row_number: bool = False
    join: Name = "-"
    values: dict[str, str] = {}
    otherwise: Name | None = None
    matches: Regex | None = None
    prefix: Name = ""
    missing: Names | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [self.column, self.columns, self.constant, self.row_number]
        if sum(map(bool, given)) != 1:
            raise ValueError("needs one of column, columns, constant, row_number = true")
        # A key without effect is refused: its author expects one.
        if self.has("join") and len(self.read) < 2:
            raise key_error("join", "has no effect: it stands between the texts of two columns")
        for key in ("matches", "values", "otherwise", "missing"):
            if self.has(key) and not self.read:
                raise key_error(key, "has no effect without a column")
        return self

    def field(self, missing: Markers, *meaningful: str) -> TextField:
        """The field.

        Args:
            missing: the missing-value markers of the file.
            meaningful: those of them that are values of this field.
        """
        values = {as_cell(value): text for value, text in self.values.items()}
        return TextField(
            columns=self.read,
            separator=self.join,
            constant=self.constant,
            row_number=self.row_number,
            values=values,
            otherwise=self.otherwise,
            matches=self.matches,
            prefix=self.prefix,
            missing=own_or(missing.difference(values, meaningful), self.missing),
        )


class AmountTable(Table):
    """The amount."""

    column: Name
    unit: Literal["major", "minor"] = "major"
    round: bool = False
    absolute: bool = False
    ignore: Names = ()
    decimal: Literal[".", ","] | None = None
    missing: Names | None = None

    def field(self, missing: Markers, file_decimal: str) -> AmountField:
        """The field.

        Raises:
            PydanticCustomError: `ignore` lists the decimal sign or an empty text.
        """
        decimal = self.decimal or file_decimal
        if not {decimal, ""}.isdisjoint(self.ignore):
            problem = "must list neither the decimal sign nor an empty text"
            raise key_error("columns.amount.ignore", problem)
        return AmountField(
            column=self.column,
            minor=self.unit == "minor",
            round=self.round,
            absolute=self.absolute,
            ignore=self.ignore,
            decimal=decimal,
            missing=own_or(missing, self.missing),
        )


class DateTimeTable(_Columns):
    """A date-time, or a count of units since a base."""

    row_number: bool = False
    unit: (
        Literal[
            "milliseconds", "microseconds", "nanoseconds", "seconds", "minutes", "hours", "days"
        ]
        | None
    ) = None
    base: Annotated[int, PlainValidator(_epoch_ms)] = 0
    zone: Zone = "UTC"
    format: DateFormat | None = None
    missing: Names | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.refuse_both()
        if bool(self.read) == self.row_number:
            raise ValueError("needs one of column, columns, date and time, row_number = true")
        if self.unit is None:
            if self.row_number:
                raise key_error("unit", "is missing: how much time does one row stand for?")
            if self.has("base"):
                raise key_error("base", "has no effect without `unit`: only a count has a base")
        elif len(self.read) > 1 or self.format is not None:
            raise key_error("unit", "is for a count, which is one column without a format")
        elif self.has("zone"):
            raise key_error("zone", "has no effect: a count is since `base`, in UTC")
        return self

    def field(self, missing: Markers) -> TimeField:
        """The field; `missing` are the missing-value markers of the file."""
        return TimeField(
            columns=self.read,
            unit_ms=None if self.unit is None else UNIT_MS[self.unit],
            base_ms=self.base,
            zone=self.zone,
            format=self.format,
            missing=own_or(missing, self.missing),
        )


class DayTable(_Columns):
    """A day whose time is in another column."""

    format: DateFormat | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.refuse_both()
        if not self.read:
            raise ValueError("needs `column` or `columns`")
        return self


class ClockTable(Table):
    """A time of the day."""

    column: Name
    unit: Literal["milliseconds", "seconds", "minutes", "hours"] | None = None
    format: Annotated[Name, AfterValidator(_clock_format)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.unit is not None and self.format is not None:
            raise key_error("unit", "is for a count, which has no format")
        return self


class DayAndClockTable(Table):
    """A day in one column, or several, and the time of the day in another."""

    date: ColumnOr[DayTable]
    time: ColumnOr[ClockTable]
    zone: Zone = "UTC"
    missing: Names | None = None

    def field(self, missing: Markers) -> TimeField:
        """The field; `missing` are the missing-value markers of the file."""
        day, time = as_table(DayTable, self.date), as_table(ClockTable, self.time)
        unit_ms = None if time.unit is None else UNIT_MS[time.unit]
        return TimeField(
            columns=day.read,
            zone=self.zone,
            format=day.format,
            clock=ClockField(time.column, unit_ms, time.format),
            missing=own_or(missing, self.missing),
        )


TimeColumn = Annotated[
    Annotated[Name, Tag("column")]
    | Annotated[DateTimeTable, Tag("table")]
    | Annotated[DayAndClockTable, Tag("day and clock")],
    _tagged(_time_form),
]


def time_field(value: str | DateTimeTable | DayAndClockTable, missing: Markers) -> TimeField:
    """The field that a `TimeColumn` describes; `missing` are the markers of the file."""
    table = DateTimeTable(column=value) if isinstance(value, str) else value
    return table.field(missing)
