"""The kinds of values that a layout's TOML may hold, for pydantic models."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
)

from data.cells.texts import Markers, canonical_text, markers
from data.cells.time_format import pattern_reader
from fraud.label import source_problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T", bound="Table")


class Table(BaseModel):
    """A table of a layout. A key that it does not declare is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def has(self, key: str) -> bool:
        """Return whether the layout gives this key."""
        return key in self.model_fields_set

    def with_defaults(self, **defaults: Any) -> Self:
        """Return the table with values for keys that the layout does not give."""
        return self.model_copy(update={k: v for k, v in defaults.items() if not self.has(k)})


def _character(text: str) -> str:
    if len(text) != 1:
        raise ValueError("must be one character")
    if text in "\0\r\n" or "\ud800" <= text <= "\udfff":
        raise ValueError("must not be NUL, an end of line or half a character")
    return text


def _quote(text: str | None) -> str | None:
    return None if text in (None, "none") else _character(text)


def _encoding(name: str) -> str:
    try:
        # Some read a whole name of the internet and no more, such as IDNA.
        fits = f"{'x' * 100}\n".encode(name).endswith(b"x\n")
    except (LookupError, TypeError, AttributeError, ValueError):
        fits = False
    if not fits:
        raise ValueError("expected an encoding in which a line break is one byte")
    return name


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


def _format(pattern: str, of_day: bool) -> str:
    pattern_reader(pattern, of_day)
    return pattern


def _source(name: str) -> str:
    if problem := source_problem(name):
        raise ValueError(problem.detail)
    return name


def _as_cell(value: str) -> str:
    """A value of the layout in the form in which cells are read (`texts.canonical_text`)."""
    plain = value.strip()
    return canonical_text(plain) or plain


def _as_cells(values: dict[str, str]) -> dict[str, str]:
    return {_as_cell(value): text for value, text in values.items()}


def _columns(value: Any) -> tuple[str, ...]:
    listed = (value,) if isinstance(value, str) and value else value
    if not isinstance(listed, list | tuple) or not all(isinstance(v, str) for v in listed):
        raise ValueError("must be a column's name, or a list of names")
    return tuple(listed)


def _markers(value: Any) -> Markers:
    if isinstance(value, frozenset):
        return value
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError("must be a list of texts")
    return markers(value)


def _label_texts(value: Any) -> frozenset[str]:
    """Texts or whole numbers as cells have them; a truth value in each of its spellings."""
    listed = value if isinstance(value, list) else []
    if not listed or not all(isinstance(v, str | int) for v in listed):
        raise ValueError("must list texts or whole numbers")
    texts = {str(v) for v in listed}
    texts |= {
        spell(str(v)) for v in listed if isinstance(v, bool) for spell in (str.lower, str.upper)
    }
    return frozenset(map(_as_cell, texts))


def _column_or_table(value: Any) -> str | None:
    if isinstance(value, str):
        return "column"
    return "table" if isinstance(value, dict | Table) else None


if TYPE_CHECKING:
    ColumnOr = Annotated[T, "or a column's name"]
else:

    class ColumnOr:
        """A table, or a column's name `x`, which is short for `{ column = "x" }`."""

        def __class_getitem__(cls, table: type[Table]) -> Any:
            def as_table(value: Any) -> Any:
                return table.model_validate({"column": value}) if isinstance(value, str) else value

            message = "must be a column's name or a table"
            return Annotated[
                Annotated[str, Tag("column")] | Annotated[table, Tag("table")],
                Discriminator(
                    _column_or_table,
                    custom_error_type="column_or_table",
                    custom_error_message=message,
                ),
                AfterValidator(as_table),
            ]


Name = Annotated[str, Field(min_length=1)]
Names = tuple[str, ...]
Columns = Annotated[
    Names, PlainValidator(_columns), Field(validation_alias=AliasChoices("column", "columns"))
]
"""`column`, or several `columns`."""
Missing = Annotated[Markers, PlainValidator(_markers)]
Zone = Annotated[str, AfterValidator(_zone)]
DateFormat = Annotated[Name, AfterValidator(partial(_format, of_day=False))]
ClockFormat = Annotated[Name, AfterValidator(partial(_format, of_day=True))]
Unit = Literal["milliseconds", "microseconds", "nanoseconds", "seconds", "minutes", "hours", "days"]
ClockUnit = Literal["milliseconds", "seconds", "minutes", "hours"]
LabelTexts = Annotated[frozenset[str], PlainValidator(_label_texts)]
Days = Annotated[float, Field(ge=0, le=3650)]
Character = Annotated[str, AfterValidator(_character)]
Quote = Annotated[str | None, AfterValidator(_quote)]
"""None, or "none" in TOML: values are not quoted."""
Encoding = Annotated[str, AfterValidator(_encoding)]
Regex = Annotated[re.Pattern[str], PlainValidator(_regex)]
Replacements = Annotated[dict[str, str], AfterValidator(_as_cells)]
EpochMs = Annotated[int, PlainValidator(_epoch_ms)]
LabelSource = Annotated[str, AfterValidator(_source)]
